import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { COMMANDS } from './cli.ts'
import type { Context } from './context.ts'
import { exitCodesInWords } from './exit-codes.ts'
import { runForTest } from './testing.ts'

const names = COMMANDS.map((add) => add(new Command(), {} as Context).name())

for (const name of names) {
  test(`the help of "${name}" has an example, --json and the exit codes`, async () => {
    const { code, out } = await runForTest([name, '--help'])
    assert.equal(code, 0)
    assert.match(out, new RegExp(`Examples:\\n  (.*)golem ${name}`))
    assert.match(out, /--json/)
    assert.ok(out.includes(exitCodesInWords()))
  })
}

test('help lists every command and the exit codes', async () => {
  const { code, out } = await runForTest(['--help'])
  assert.equal(code, 0)
  for (const name of names) assert.match(out, new RegExp(`^  ${name} `, 'm'))
  assert.ok(out.includes(exitCodesInWords()))
})

test('a command that does not exist ends with 2 and says where help is', async () => {
  const { code, err } = await runForTest(['statsu'])
  assert.equal(code, 2)
  assert.match(err, /unknown command 'statsu'/)
  assert.match(err, /Did you mean status\?/)
})

test('no command at all ends with 2 and shows what there is', async () => {
  const { code, err } = await runForTest([])
  assert.equal(code, 2)
  assert.match(err, /Usage: golem/)
})

test('an address that is none ends with 2', async () => {
  const { code, err } = await runForTest(['status', '--url', 'pi-1:8000'])
  assert.equal(code, 2)
  assert.match(err, /"pi-1:8000" is no address: write for instance http:\/\//)
})

test('with --json an error is JSON too', async () => {
  const { code, err } = await runForTest(['get', 'x', '--json', '--url', 'nonsense'])
  assert.equal(code, 2)
  const { error } = JSON.parse(err) as { error: { exit: number; message: string } }
  assert.equal(error.exit, 2)
  assert.match(error.message, /nonsense/)
})

test('a missing token file is named', async () => {
  const { code, err } = await runForTest(['status', '--token-file', 'no/such'], { cwd: '/tmp' })
  assert.equal(code, 2)
  assert.match(err, /\/tmp\/no\/such cannot be read/)
})

test('what throws data away asks, and does not go on when nobody answers', async () => {
  const env = { GOLEM_SITE: '/no/such/site.yaml' }
  const { code, err } = await runForTest(['init-db'], { env })
  assert.equal(code, 1)
  assert.match(err, /There is no site file \/no\/such\/site.yaml/)
})

test('a token is printed once with the lines that let it in', async () => {
  const { code, out } = await runForTest(['token', 'night-script', '--role', 'operator', '--json'])
  assert.equal(code, 0)
  const { token, hash, role } = JSON.parse(out) as { token: string; hash: string; role: string }
  assert.equal(role, 'operator')
  const { hashToken } = await import('@golem/config')
  assert.equal(hashToken(token), hash)
  const text = await runForTest(['token', 'ann', '--role', 'admin'])
  assert.match(
    text.out,
    /auth:\n {2}tokens:\n {4}- name: "ann"\n {6}role: admin\n {6}hash: sha256:[0-9a-f]{64}/,
  )
})

test('a token needs a role that exists', async () => {
  assert.equal((await runForTest(['token', 'ann'])).code, 2)
  assert.equal((await runForTest(['token', 'ann', '--role', 'god'])).code, 2)
})
