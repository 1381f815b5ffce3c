import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { messageOf } from '@golem/core'
import { ROOT } from '../kit/root.ts'

const WITH_VM = join(ROOT, 'test', 'kit', 'with-vm')

/** Why there can be no machine with Debian's kernel here, as a sentence; undefined when there can. */
function whyNoKernel(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can show the machine this file system'
  if (!existsSync('/usr/bin/qemu-system-x86_64'))
    return 'qemu-system-x86 is not installed (see test/apt-packages.txt)'
  try {
    // Fetches Debian's kernel once, 70 MB.
    execFileSync(WITH_VM, ['--prepare'], { stdio: ['ignore', 'ignore', 'pipe'], timeout: 300_000 })
    return undefined
  } catch (error) {
    return `Debian's kernel can't be fetched: ${messageOf(error).trim().split('\n').at(-1)}`
  }
}

test(
  "real /dev/usbtmcN and /dev/hidrawN of Debian's kernel: exchanges, 1 MB, time-outs, two masters, replug, sandbox",
  { skip: whyNoKernel() ?? false },
  () => {
    const inside = join(ROOT, 'test', 'dist', 'hardware', 'inside-vm.js')
    const { status, stdout } = spawnSync(
      WITH_VM,
      ['--timeout', '540', '--', process.execPath, '--enable-source-maps', inside],
      { cwd: ROOT, encoding: 'utf8' },
    )
    process.stdout.write(stdout)
    assert.equal(status, 0, stdout)
    assert.equal(stdout.match(/^ok /gm)?.length, 11, stdout)
  },
)
