import { missingPackages } from '../test/support/required.ts'

// Debian's packages that tests need and this machine lacks, on one line: `.ci/run` installs them.
process.stdout.write(`${missingPackages().join(' ')}\n`)
