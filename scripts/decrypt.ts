import { decrypt } from '../tools/codeship/encryption.ts'
import { convertFile } from './convert-file.ts'

// `npm run decrypt -- env.encrypted env`: as `jet decrypt`.
convertFile('decrypt', (bytes, key, file) => decrypt(file, bytes.toString('utf8'), key))
