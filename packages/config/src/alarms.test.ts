import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSite } from './load-site.ts'
import { faultsOf, inFolder, loadText, models } from './testing.ts'

const site = (alarms: string, parameter = 'temperature'): string =>
  `site: lab\ninstruments:\n  - id: oven\n    model: heater\n    address: http://10.0.0.5\n    parameters:\n      ${parameter}: { alarms: ${alarms} }\n`
const rulesOf = (alarms: string, parameter = 'temperature') =>
  loadText(site(alarms, parameter), { models }).instruments[0]?.parameters[parameter]?.alarms

const faults = (text: string): string =>
  faultsOf(text, { models, env: {} })
    .map(({ line, path, message }) => `${line} ${path}: ${message}`)
    .join(' | ')

test('alarms of a parameter, with what is usual where nothing is said', () => {
  assert.deepEqual(rulesOf('{ high: { at: 50 } }'), [
    {
      kind: 'high',
      at: 50,
      hysteresis: 0,
      severity: 'warning',
      delayMs: 0,
      offDelayMs: 0,
      latch: false,
      inhibitDuring: [],
    },
  ])
  assert.deepEqual(
    rulesOf(
      '{ highHigh: { at: 60, hysteresis: 2, delay: 5 s, offDelay: 1 min, latch: true, severity: critical, guidance: Off!, inhibitDuring: [calibrate, scan/Heat up] } }',
    ),
    [
      {
        kind: 'highHigh',
        at: 60,
        hysteresis: 2,
        severity: 'critical',
        delayMs: 5_000,
        offDelayMs: 60_000,
        latch: true,
        guidance: 'Off!',
        inhibitDuring: [{ recipe: 'calibrate' }, { recipe: 'scan', stage: 'Heat up' }],
      },
    ],
  )
  const kinds = rulesOf(
    '{ stale: {}, deviation: { from: oven.power, by: 5 }, low: { at: 1 }, lowLow: { at: 0 } }',
  )
  assert.deepEqual(
    kinds?.map(({ kind }) => kind),
    ['lowLow', 'low', 'deviation', 'stale'],
  )
  const [state] = rulesOf('{ state: { notEquals: slow } }', 'mode') ?? []
  assert.deepEqual(state && 'notEquals' in state && state.notEquals, ['slow'])
})

test('what makes no sense in alarms is a fault with its place', () => {
  const cases: [string, RegExp, string?][] = [
    ['{ high: { hysteresis: 2 } }', /7 .*high.at: "at" is missing/],
    ['{ high: { at: 50 }, low: { at: 50 } }', /high.at: high \(50\) is not above low \(50\)/],
    ['{ higher: { at: 50 } }', /Did you mean "high/],
    ['{ high: { at: hot } }', /the text "hot"/],
    ['{ high: { at: 1, hysteresis: -1 } }', /number -1/],
    ['{ high: { at: 1, delay: 5 } }', /with its unit/],
    ['{ high: { at: 1, delay: 30 h } }', /0 ms to 24 h|out of bounds/],
    ['{ high: { at: 1, severity: bad } }', /info, warning \(default\) or critical/],
    ['{ high: { at: 1 } }', /fan is no number \(boolean\): it can't have "high". Use "state"/, 'fan'],
    ['{ stale: {} }', /target can't be read/, 'target'],
    ['{ state: {} }', /either "equals" or "notEquals"/, 'mode'],
    [
      '{ state: { equals: [slow, medium] } }',
      /never has the value "medium". It is one of slow, fast/,
      'mode',
    ],
    ['{ state: { equals: 1 } }', /fan never has the value "1"/, 'fan'],
    ['{ deviation: { from: 20, by: 2, hysteresis: 2 } }', /would never be over/],
    ['{ deviation: { from: setpoint, by: 2 } }', /Write a number, or INSTRUMENT.PARAMETER/],
    ['{ deviation: { from: ovn.power, by: 2 } }', /There is no instrument "ovn". Did you mean "oven"\?/],
    ['{ stale: { after: 1 ms } }', /1 s to 24 h/],
  ]
  for (const [alarms, wanted, parameter] of cases) assert.match(faults(site(alarms, parameter)), wanted)
  const hidden = site('{ stale: {} }').replace('{ alarms', '{ hidden: true, alarms')
  assert.match(faults(hidden), /temperature is hidden/)
})

const notify = (entry: string): string => `site: lab\nnotify:\n  - ${entry}\ninstruments: []\n`

test('who is told: mail, webhook and telegram; secrets come from files and the environment', () => {
  inFolder((folder) => {
    writeFileSync(join(folder, 'password'), 'opensesame\n')
    const file = join(folder, 'site.yaml')
    writeFileSync(
      file,
      `site: lab
notify:
  - { name: mail, kind: email, server: "smtp://mail.lab.example:587", from: golem@lab.example, to: [ada@lab.example], user: golem, secretFile: password, repeat: 30 min }
  - { name: hook, kind: webhook, urlEnv: HOOK, severities: [critical], escalateAfter: 15 min, followUps: false, rate: { messages: 2, per: 1 h } }
  - { name: chat, kind: telegram, chat: "-100", secretEnv: BOT, quiet: { from: "22:00", until: "07:30", timeZone: Europe/Berlin } }
instruments: []
`,
    )
    const env = { HOOK: 'https://hooks.example/T0/secret', BOT: '123:abc' }
    const [mail, hook, chat] = loadSite(file, { env }).notify
    assert.deepEqual(mail, {
      name: 'mail',
      target: {
        kind: 'email',
        host: 'mail.lab.example',
        port: 587,
        tls: false,
        auth: { user: 'golem', password: 'opensesame' },
        from: 'golem@lab.example',
        to: ['ada@lab.example'],
      },
      severities: ['warning', 'critical'],
      repeatMs: 1_800_000,
      escalateAfterMs: 0,
      followUps: true,
      rate: { messages: 6, perMs: 600_000 },
      quiet: null,
    })
    assert.deepEqual(hook?.target, { kind: 'webhook', url: env.HOOK, secret: null })
    assert.deepEqual([hook?.escalateAfterMs, hook?.followUps], [900_000, false])
    assert.deepEqual(chat?.target, {
      kind: 'telegram',
      url: 'https://api.telegram.org',
      token: '123:abc',
      chat: '-100',
    })
    assert.deepEqual(chat?.quiet, { from: 1320, until: 450, timeZone: 'Europe/Berlin' })
  })
})

test('what makes no sense in notify is a fault with its place, and no secret is repeated', () => {
  const cases: [string, RegExp][] = [
    ['{ name: a, kind: fax }', /3 .*email, webhook or telegram/],
    ['{ name: a, kind: email }', /Mail wants "server", "from", "to"/],
    ['{ name: a, kind: email, server: mail, from: a@b, to: [a@b] }', /no mail server. Write smtp:/],
    [
      '{ name: a, kind: email, server: "smtp://m", from: a@b, to: [a@b], user: u }',
      /both "user" and the password/,
    ],
    ['{ name: a, kind: email, server: "smtp://m", from: a@b, to: ["a@b, c@d"] }', /an address/],
    ['{ name: a, kind: webhook }', /one of "url", "urlFile" and "urlEnv"/],
    ['{ name: a, kind: webhook, url: "ftp://a" }', /no address of the web/],
    ['{ name: a, kind: webhook, url: "https://a", chat: b }', /kind webhook has no "chat"/],
    ['{ name: a, kind: webhook, url: "https://a", secretEnv: NOT_THERE }', /no variable NOT_THERE/],
    ['{ name: a, kind: webhook, url: "https://a", password: x }', /Secrets do not belong/],
    ['{ name: a, kind: telegram, chat: "1" }', /Telegram wants "chat", and the token/],
    [
      '{ name: a, kind: webhook, url: "https://a", quiet: { from: "22:00", until: "07:00", timeZone: Mars } }',
      /no time zone/,
    ],
    ['{ name: a, kind: webhook, url: "https://a", quiet: { from: "25:00", until: "07:00" } }', /22:00/],
    ['{ name: a, kind: webhook, url: "https://a", repeat: 1 s }', /1 min to 24 h/],
    [
      '{ name: a, kind: webhook, url: "https://a" }\n  - { name: a, kind: webhook, url: "https://b" }',
      /another notifier/,
    ],
  ]
  for (const [entry, wanted] of cases) assert.match(faults(notify(entry)), wanted)
  const secret = faultsOf(notify('{ name: a, kind: webhook, urlEnv: HOOK }'), {
    env: { HOOK: 'not-an-address' },
  })
  assert.equal(secret.length, 1)
  assert.doesNotMatch(JSON.stringify(secret), /not-an-address/)
})
