import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoadSiteOptions } from './load-site.ts'
import { faultsOf, models } from './testing.ts'

/** What is wrong, the file (the mark » stands where the fault is to be found) and the message. */
type Case = [title: string, marked: string, message: RegExp, options?: LoadSiteOptions]

const HEAD = 'site: lab\ninstruments:\n'
const one = (rest: string, model = 'heater', address = 'http://a'): string =>
  `${HEAD}  - id: oven\n    model: ${model}\n    address: ${address}\n${rest}`
const parameter = (rest: string): string => one(`    parameters:\n      ${rest}\n`)
const withModels = { models }
const token = (name: string, hash = `sha256:${'a'.repeat(64)}`): string =>
  `{ name: ${name}, role: viewer, hash: "${hash}" }`

const CASES: Case[] = [
  // YAML itself
  ['broken YAML', 'site: lab\ninstruments: [\n»', /not YAML/],
  ['a key written twice', 'site: lab\ninstruments: []\n»site: lab\n', /twice/],
  ['a tab as indent', 'site: lab\nweb:\n»\tport: 1\ninstruments: []\n', /tab/],
  ['two documents', 'site: lab\ninstruments: []\n»---\nsite: b\n', /more than one document/],
  ['an unknown tag', 'site: »!lab x\ninstruments: []\n', /not YAML/],
  ['an anchor that is not there', 'site: »*lab\ninstruments: []\n', /no anchor "&lab"/],
  ['an empty file', '»', /empty instead of a table/],
  ['a list instead of a table', '»- site: lab\n', /a list instead of a table/],

  // form
  [
    'an unknown key',
    `${HEAD.replace('instruments:', '»instrument: []\ninstruments: []')}`,
    /Did you mean "instruments"\?/,
  ],
  ['a missing key', '»site: lab\n', /"instruments" is missing/],
  ['a missing key of an instrument', `${HEAD}  - »id: a\n    model: heater\n`, /"address" is missing/],
  ['a wrong type', 'site: »5\ninstruments: []\n', /the number 5/],
  ['an empty value', 'site: lab\n»title:\ninstruments: []\n', /empty/],
  ['a bad id of the site', 'site: »Lab\ninstruments: []\n', /a-z, 0-9 and -/],
  ['a bad id of an instrument', `${HEAD}  - { id: »a_b, model: m, address: "http://a" }\n`, /a-z, 0-9 and -/],
  ['an instrument that is none', `${HEAD}  - »5\n`, /One instrument/],
  ['too many waiting commands', 'site: lab\nmaxWaiting: »5000\ninstruments: []\n', /1 to 1000/],
  ['a port out of range', 'site: lab\nweb: { port: »70000 }\ninstruments: []\n', /0 to 65535/],
  ['a host name that is none', 'site: lab\nweb: { hosts: [»"a b"] }\ninstruments: []\n', /host name/],
  ['a host name twice', 'site: lab\nweb: { hosts: »[a, a] }\ninstruments: []\n', /twice/],
  ['an unknown key of a parameter', parameter('power: { »mim: 1 }'), /Did you mean "min"\?/],
  ['a parameter name that is none', parameter('»"po wer": { min: 1 }'), /can't be a name/],
  ['a parameter name from the prototype', parameter('»__proto__: { min: 1 }'), /can't be a name/],
  ['an onStop that is none', one('    onStop: »off\n'), /hold \(default\) or safe/],
  ['infinity as a limit', parameter('power: { max: ».inf }'), /Infinity/],

  // durations
  ['a duration without unit', 'site: lab\nlease: »10\ninstruments: []\n', /with its unit/],
  ['a duration with a strange unit', one('    pollEvery: »1 fortnight\n'), /with its unit/],
  ['a poll period too short', one('    pollEvery: »99 ms\n'), /100 ms to 1 h/],
  ['a poll period too long', one('    pollEvery: »2 h\n'), /100 ms to 1 h/],
  ['a poll period of a parameter too short', parameter('power: { pollEvery: »1 ms }'), /100 ms to 1 h/],
  ['a lease too short', 'site: lab\nlease: »1 ms\ninstruments: []\n', /1 s to 10 min/],

  // addresses and links
  [
    'the same id twice',
    `${one('')}  - id: »oven\n    model: heater\n    address: http://b\n`,
    /instruments\[0\] has the id/,
  ],
  ['an address that is none', one('', 'heater', '»gopher://a'), /Write http:/],
  ['an address with a broken escape', one('', 'gauge', '»serial:/dev/%zz'), /% signs are no URL encoding/],
  ['a password in an address', one('', 'heater', '»http://u:p@a'), /use "auth"/],
  [
    'hosts that differ on one link',
    `${one('    host: pi-1\n')}  - id: kiln\n    model: heater\n    address: http://a/2\n    host: »pi-2\n`,
    /shares the link http:a:80 with "oven".*the host pi-2.*the host pi-1/,
  ],
  [
    'a host on one side of a link only',
    `${one('    host: pi-1\n')}  - »id: kiln\n    model: heater\n    address: http://a/2\n`,
    /names no host/,
  ],
  [
    'speeds that differ on one link',
    `${one('', 'gauge', 'serial:/dev/x?baud=9600')}  - id: b\n    model: gauge\n    address: »serial:/dev/x\n`,
    /other line settings \(baudRate: none and 9600\)/,
  ],
  [
    'a simulated device that is not there',
    one('', 'heater', '»sim:relay-9'),
    /Did you mean "relay-1"\?/,
    {
      simulated: { 'relay-1': 'http://127.0.0.1:1' },
    },
  ],

  // models
  ['an unknown model', one('', '»haeter'), /Did you mean "heater"\?/, withModels],
  ['a model nothing is like', one('', '»x'), /There is: heater, gauge\./, withModels],
  ['HTTP where a line is wanted', one('', 'gauge', '»http://a'), /serial port, TCP or USBTMC/, withModels],
  ['a line where HTTP is wanted', one('', 'heater', '»tcp://a:1'), /over HTTP/, withModels],
  ['an unknown option', one('    options: { »chanels: 1 }\n'), /Did you mean "channels"\?/, withModels],
  ['a faulty option', one('    options: { channels: »0 }\n'), /how many channels/, withModels],
  [
    'options the driver does not take',
    one('    options:\n      »unlucky: true\n').replace('»', '').replace('options', '»options'),
    /no luck/,
    withModels,
  ],
  ['an unknown parameter', parameter('»pwer: { min: 1 }'), /Did you mean "power"\?/, withModels],
  ['an unknown action', one('    actions: { »rset: { label: x } }\n'), /Did you mean "reset"\?/, withModels],
  [
    'a parameter that only the prototype has',
    parameter('»constructor: { label: x }'),
    /no parameter/,
    withModels,
  ],
  ['a limit above the model', parameter('power: { max: »101 }'), /0 to 100 %/, withModels],
  ['a limit below the model', parameter('power: { min: »-1, safe: 1 }'), /0 to 100 %/, withModels],
  ['min above max', parameter('power: { min: »60, max: 50 }'), /above max/],
  [
    'min above max, with the model',
    parameter('power: { min: »60, max: 50, safe: 55 }'),
    /above max/,
    withModels,
  ],
  ['limits for what is no number', parameter('fan: { »max: 1 }'), /no number/, withModels],
  ['decimals for what is no number', parameter('mode: { »decimals: 1 }'), /no number/, withModels],
  ['polling what cannot be read', parameter('target: { »pollEvery: 1 s }'), /never polled/, withModels],
  ['a safe value outside the limits', parameter('power: { max: 50, safe: »60 }'), /0 to 50 %/, withModels],
  [
    'a safe value outside the limits, without model',
    parameter('power: { max: 50, safe: »60 }'),
    /at most 50/,
  ],
  ['a safe value of the wrong type', parameter('fan: { safe: »off }'), /true or false/, withModels],
  ['a safe value that is no choice', parameter('mode: { safe: »medium }'), /slow, fast/, withModels],
  ['a safe value for what is only read', parameter('temperature: { »safe: 1 }'), /only be read/, withModels],
  [
    'limits that exclude the safe value of the model',
    parameter('power: { min: »5 }'),
    /brings power to 0/,
    withModels,
  ],

  // secrets
  [
    'a password in the file',
    one('    auth: { user: a, »password: b, passwordEnv: P }\n'),
    /passwordFile/,
    { env: { P: 'x' } },
  ],
  [
    'a password file that is not there',
    one('    auth: { user: a, passwordFile: »none }\n'),
    /no file .*none/,
  ],
  ['a password file that is a folder', one('    auth: { user: a, passwordFile: ». }\n'), /is no file/],
  ['a variable that is not there', one('    auth: { user: a, passwordEnv: »NONE }\n'), /no variable NONE/],
  ['no password at all', one('    »auth: { user: a }\n'), /either passwordFile or passwordEnv/],
  [
    'two passwords',
    one('    »auth: { user: a, passwordEnv: P, passwordFile: site.yaml }\n'),
    /not both/,
    { env: { P: 'x' } },
  ],
  ['a colon in a user', one('    auth: { user: »"a:b", passwordEnv: P }\n'), /colon/, { env: { P: 'x' } }],
  [
    'auth on a line',
    one('    »auth: { user: a, passwordEnv: P }\n', 'gauge', 'tcp://a:1'),
    /http:/,
    { env: { P: 'x' } },
  ],

  // web, redis
  [
    'listening to a network without auth',
    'site: lab\nweb: { listen: »0.0.0.0 }\ninstruments: []\n',
    /auth: none/,
  ],
  ['auth that is neither none nor tokens', 'site: lab\nauth: »any\ninstruments: []\n', /none, or a table/],
  ['no token at all', 'site: lab\nauth: { tokens: »[] }\ninstruments: []\n', /at least one/],
  [
    'a token instead of its hash',
    `site: lab\nauth: { tokens: [${token('a', 'golem_x').replace('"golem', '»"golem')}] }\ninstruments: []\n`,
    /not the token itself/,
  ],
  [
    'a token in the file',
    `site: lab\nauth: { tokens: [${token('a').replace('{', '{ »token: x,')}] }\ninstruments: []\n`,
    /Only the hash/,
  ],
  [
    'a role that is none',
    `site: lab\nauth: { tokens: [${token('a').replace('viewer', '»root')}] }\ninstruments: []\n`,
    /viewer, operator or admin/,
  ],
  [
    'two tokens of one name',
    `site: lab\nauth:\n  tokens:\n    - ${token('a')}\n    - ${token('»a', `sha256:${'b'.repeat(64)}`)}\ninstruments: []\n`,
    /another token named/,
  ],
  [
    'a token that goes by the name of a run',
    `site: lab\nauth: { tokens: [${token('»run r-1')}] }\ninstruments: []\n`,
    /calls runs, schedules and foreign programs so/,
  ],
  [
    'two tokens with one hash',
    `site: lab\nauth:\n  tokens:\n    - ${token('a')}\n    - ${token('b').replace('"sha', '»"sha')}\ninstruments: []\n`,
    /same hash/,
  ],
  ['a Redis address that is none', 'site: lab\nredis: »http://a\ninstruments: []\n', /Write redis:\/\//],
  ['a password in the Redis address', 'site: lab\nredis: »redis://:p@a\ninstruments: []\n', /REDIS_URL/],
]

for (const [title, marked, message, options] of CASES) {
  test(`${title} is one fault with its place`, () => {
    const before = marked.slice(0, marked.indexOf('»')).split('\n')
    const faults = faultsOf(marked.replace('»', ''), options)
    assert.equal(faults.length, 1, JSON.stringify(faults, null, 2))
    const [fault] = faults
    assert.match(fault!.message, message)
    assert.match(fault!.message, /[.?]$/, 'a message is a sentence')
    assert.deepEqual(
      { line: fault!.line, column: fault!.column },
      { line: before.length, column: before.at(-1)!.length + 1 },
      fault!.message,
    )
  })
}

test('a file that is not UTF-8 is a fault', () => {
  const [fault] = faultsOf(Buffer.from('site: lab\ntitle: 20 \xb0C\ninstruments: []\n', 'latin1'))
  assert.match(fault?.message ?? '', /UTF-8/)
})

test('a file of more than 1 MiB is a fault', () => {
  const [fault] = faultsOf(`#${'x'.repeat(1024 * 1024)}\n`)
  assert.match(fault?.message ?? '', /1 MiB/)
})

test('brackets nested beyond measure and aliases that multiply are faults', () => {
  const nested = faultsOf('['.repeat(100_000)).length
  assert.ok(nested >= 1 && nested <= 20, `${nested} faults`)
  const bomb = Array.from(
    { length: 9 },
    (_, i) =>
      `k${i}: &a${i} [${Array(9)
        .fill(i ? `*a${i - 1}` : 'x')
        .join()}]`,
  )
  const [fault] = faultsOf(`${bomb.join('\n')}\n`)
  assert.match(fault?.message ?? '', /YAML/)
})

test('faulty auth is not also called missing when the page listens to a network', () => {
  const faults = faultsOf('site: lab\nauth: any\nweb: { listen: 0.0.0.0 }\ninstruments: []\n')
  assert.deepEqual(
    faults.map(({ path }) => path),
    ['auth'],
  )
})

test('a loopback address needs no auth', () => {
  for (const listen of ['localhost', '127.0.0.5', '"::1"']) {
    assert.deepEqual(faultsOf(`site: lab\nweb: { listen: ${listen} }\ninstruments: []\n`), [])
  }
})
