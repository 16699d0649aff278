import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { baseImageArgs, disposableImages, docker, skipWithoutDocker } from '../support/docker.ts'
import { buildImage, environmentFor, runContainer, startReachableSimulator } from './image.ts'

/** What users write into the Dockerfile of their deployment image. */
const COPY = 'COPY --from=program /opt/pagerduty-alert /opt/pagerduty-alert'
const PROGRAM = '/opt/pagerduty-alert/bin/pagerduty-alert'

/** Deployment images of users, without a Node of their own. */
const IMAGES: Readonly<Record<string, string>> = {
  'based on Debian': `
    FROM \${NODE_IMAGE}
    RUN rm /usr/local/bin/node
    ${COPY}`,
  // A C library that is not glibc, and BusyBox for everything else. The libraries of a newer or older glibc, which
  // must not be mixed with ours, are stood in for by ones that nothing can be linked with.
  'based on musl and BusyBox, as Alpine is': `
    FROM \${NODE_IMAGE} AS parts
    RUN apt-get update && apt-get install -y --no-install-recommends busybox-static musl
    RUN mkdir -p /alpine/bin /alpine/lib /alpine/tmp && cp /bin/busybox /alpine/bin/ && cp -L /lib/ld-musl-*.so.1 /alpine/lib/
    RUN for name in sh cat cp echo env id ls mkfifo printf pwd rm sleep tee; do ln -s busybox /alpine/bin/$name; done
    FROM scratch
    COPY --from=parts /alpine /
    ${COPY}`,
  'with another glibc, as older and newer Debians and Ubuntus have': `
    FROM \${NODE_IMAGE}
    RUN rm /usr/local/bin/node
    RUN for name in libstdc++.so.6 libm.so.6 libgcc_s.so.1; do \
      for path in /usr/lib/*-linux-gnu/$name; do echo broken >$path; done; done
    ${COPY}`,
}

suite('the program in an image of the user', { skip: await skipWithoutDocker() }, () => {
  let simulator: Simulator
  const images = new Map<string, string>()
  const { buildOptions, remove } = disposableImages()
  before(async () => {
    simulator = await startReachableSimulator()
    const program = await buildImage()
    for (const [title, steps] of Object.entries(IMAGES)) {
      const dockerfile = `ARG NODE_IMAGE\nFROM ${program} AS program\n${steps.replaceAll(/^ +/gm, '')}\n`
      const args = ['build', '--quiet', ...buildOptions, ...(await baseImageArgs()), '-']
      images.set(title, (await docker(args, dockerfile)).trim())
    }
  })
  beforeEach(() => simulator.reset())
  after(async () => {
    await simulator.close()
    await remove()
  })

  for (const title of Object.keys(IMAGES)) {
    test(`watches a command: ${title}`, async () => {
      const script = 'echo out; echo err >/dev/stderr; exit 7'
      const exit = await runContainer(images.get(title) ?? '', {
        entrypoint: [PROGRAM, 'run', '--quiet', '--', 'sh', '-c', script],
        env: environmentFor(simulator),
      })
      assert.deepEqual([exit.exitCode, exit.stdout, exit.stderr], [7, 'out\n', 'err\n'])
      assert.match(simulator.alerts[0]?.title ?? '', /failed with exit status 7/)
    })

    test(`hands the environment on as it is, and works for any user: ${title}`, async () => {
      const options = { env: { ...environmentFor(simulator), MARKER: 'm' }, user: '4242:4242' }
      const image = images.get(title) ?? ''
      const bare = await runContainer(image, { ...options, entrypoint: ['/bin/sh', '-c', 'exec env'] })
      const watched = await runContainer(image, { ...options, entrypoint: [PROGRAM, 'run', '--', 'env'] })
      // HOSTNAME is the container's.
      const variables = ({ stdout }: { stdout: string }): string[] =>
        stdout
          .split('\n')
          .filter((line) => !/^(?:HOSTNAME|PWD|OLDPWD|SHLVL|_)=/.test(line))
          .toSorted()
      assert.deepEqual(variables(watched), variables(bare))
      assert.equal(simulator.changes.length, 1)
    })
  }
})
