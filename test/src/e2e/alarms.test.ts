import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AlarmRecord, FleetDocument, SiteEvent } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Mailbox, type Webhook, startMailbox, startWebhook } from '../kit/notified.ts'
import { Runs } from '../kit/runs.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { makeTempDir } from '../kit/temp.ts'

const secrets = makeTempDir('golem-secrets')
after(() => secrets.remove())

interface Rig {
  stand: Stand
  hook: Webhook
  mailbox: Mailbox
}

/** A lamp whose first channel is not to be above 50 %, and a webhook and a mailbox that hear of it. */
async function withAlarms(
  use: (rig: Rig) => Promise<void>,
  notify: Record<string, unknown>[] = [],
): Promise<void> {
  const hook = await startWebhook()
  const mailbox = await startMailbox({ user: 'golem', password: 'opensesame' })
  writeFileSync(join(secrets.path, 'password'), 'opensesame\n')
  writeFileSync(join(secrets.path, 'key'), 'sign-with-this\n')
  const high = { at: 50, hysteresis: 5, guidance: 'Turn it down.', inhibitDuring: ['calibrate'] }
  const alarms = { high, stale: { after: '2 s' } }
  try {
    const stand = await startStand({
      schedulers: 2,
      // On a busy machine a leader may be late for a shorter one, which would be an alarm of its own.
      leaseMs: 4_000,
      devices: [{ name: 'lamp', kind: 'pwm-lamp' }],
      instruments: (address) => [
        { id: 'lamp', model: 'pwm-lamp', address: address('lamp'), parameters: { channel0: { alarms } } },
      ],
      site: {
        notify: [
          { name: 'hook', kind: 'webhook', url: `${hook.url}/golem`, secretFile: join(secrets.path, 'key') },
          {
            name: 'mail',
            kind: 'email',
            server: mailbox.url,
            from: 'golem@lab.example',
            to: ['ada@lab.example', 'bob@lab.example'],
            user: 'golem',
            secretFile: join(secrets.path, 'password'),
          },
          ...notify,
        ],
      },
    })
    try {
      await use({ stand, hook, mailbox })
    } finally {
      await stand.close()
    }
  } finally {
    await hook.close()
    await mailbox.close()
  }
}

async function alarmsOf(stand: Stand): Promise<AlarmRecord[]> {
  const { body } = await stand.api<AlarmRecord[]>('/api/alarms')
  return body
}

function alarm(
  stand: Stand,
  id: string,
  condition: AlarmRecord['condition'] = 'active',
): Promise<AlarmRecord> {
  return eventually(
    async () => (await alarmsOf(stand)).find((one) => one.id === id && one.condition === condition),
    { what: `${id} is ${condition}`, timeoutMs: 30_000 },
  )
}

/** Waits until the webhook has heard of something. */
async function told(hook: Webhook, what: string): Promise<void> {
  await eventually(() => timesTold(hook, what) > 0, { what: `the webhook hears: ${what}`, timeoutMs: 30_000 })
}

function timesTold(hook: Webhook, what: string): number {
  return hook.calls.flatMap((call) => call.told).filter((one) => one === what).length
}

const setLevel = (stand: Stand, value: number) => stand.command('lamp', { parameter: 'channel0', value })
const acknowledge = (stand: Stand, id: string, note: string) =>
  stand.api(`/api/alarms/${id}/acknowledge`, {
    method: 'POST',
    body: { note },
    headers: { 'x-golem-user': 'ada' },
  })

async function leaderOf(stand: Stand): Promise<number> {
  const lease = await eventually(
    async () => {
      const { body } = await stand.api<FleetDocument>('/api/fleet')
      return body.leases.find(({ link }) => link === 'scheduler')
    },
    { what: 'a scheduler leads' },
  )
  return Number(lease.worker.at(-1))
}

test('a value beyond its limit calls people by webhook and mail; acknowledged and over it is settled', async () => {
  await withAlarms(async ({ stand, hook, mailbox }) => {
    await setLevel(stand, 60)
    const high = await alarm(stand, 'lamp.channel0.high')
    assert.equal(high.message, 'lamp: Channel 0 is 60 %, above 50 %.')
    assert.equal(high.guidance, 'Turn it down.')
    assert.deepEqual((await stand.state()).alarms, [high])

    const call = await eventually(() => hook.calls[0], { what: 'the webhook is called' })
    assert.deepEqual(call.told, ['lamp.channel0.high raised'])
    assert.equal(call.path, '/golem')
    const signature = createHmac('sha256', 'sign-with-this').update(call.text).digest('hex')
    assert.equal(call.headers['x-golem-signature'], `sha256=${signature}`)
    assert.match(String(call.headers['idempotency-key']), /^[\w-]{36}$/)

    const mail = await eventually(() => mailbox.mails[0], { what: 'mail arrives' })
    assert.deepEqual([mail.from, mail.to], ['golem@lab.example', ['ada@lab.example', 'bob@lab.example']])
    assert.equal(mail.user, 'golem')
    assert.match(mail.text, /^Subject: \[test\] ALARM: lamp: Channel 0 is 60 %, above 50 %/m)
    assert.match(mail.text, /Turn it down\./)

    // Within the hysteresis it is not over.
    await setLevel(stand, 47)
    await stand.until('lamp', ({ readings }) => readings['channel0']?.value === 47, 'the new level is read')
    assert.equal((await alarmsOf(stand))[0]?.condition, 'active')
    await setLevel(stand, 40)
    const returned = await alarm(stand, 'lamp.channel0.high', 'returned')
    assert.ok(returned.returnedAt)
    assert.equal((await acknowledge(stand, 'lamp.channel0.high', 'turned it down')).status, 202)
    await eventually(async () => (await alarmsOf(stand)).length === 0, { what: 'it is settled' })
    const { body } = await stand.api<SiteEvent[]>('/api/alarms/history')
    assert.deepEqual(
      body.map(({ message }) => message),
      [
        'lamp.channel0.high active, warning: lamp: Channel 0 is 60 %, above 50 %.',
        'lamp.channel0.high is over, and waits for somebody to acknowledge it',
        'lamp.channel0.high acknowledged by ada (local): turned it down (it was over)',
      ],
    )
  })
})

test('the leader is killed: no alarm is lost, none is told twice, and the loss is told itself', async () => {
  await withAlarms(async ({ stand, hook }) => {
    await setLevel(stand, 60)
    await told(hook, 'lamp.channel0.high raised')
    await acknowledge(stand, 'lamp.channel0.high', 'seen')
    await eventually(async () => (await alarm(stand, 'lamp.channel0.high')).acknowledged, {
      what: 'it is acknowledged',
    })
    await stand.schedulers[await leaderOf(stand)]?.kill('SIGKILL')
    // While nobody leads it goes on, and the next leader notices.
    const lost = await alarm(stand, 'scheduler')
    assert.match(lost.message, /ended without a word.*nobody looked after/)
    const high = (await alarmsOf(stand)).find(({ id }) => id === 'lamp.channel0.high')
    assert.deepEqual([high?.condition, high?.count], ['active', 1])
    assert.equal(high?.acknowledged?.note, 'seen')
    await setLevel(stand, 10)
    await eventually(async () => !(await alarmsOf(stand)).some(({ id }) => id === 'lamp.channel0.high'), {
      what: 'acknowledged before, it is settled when it is over',
    })
    await told(hook, 'scheduler raised')
    await acknowledge(stand, 'scheduler', '')
    await eventually(async () => (await alarmsOf(stand)).length === 0, { what: 'all is well again' })
    assert.equal(timesTold(hook, 'lamp.channel0.high raised'), 1)
  })
})

test('a leader that ends in order is no loss; one that was frozen tells nothing when it comes to again', async () => {
  await withAlarms(async ({ stand, hook }) => {
    await setLevel(stand, 60)
    await told(hook, 'lamp.channel0.high raised')
    const first = await leaderOf(stand)
    await stand.schedulers[first]?.kill('SIGTERM')
    const second = 1 - first
    await eventually(async () => (await leaderOf(stand)) === second, { what: 'the other one leads' })
    await stand.addScheduler()
    stand.schedulers[second]?.stop()
    await eventually(async () => (await leaderOf(stand)) === 2, {
      what: 'the third leads',
      timeoutMs: 30_000,
    })
    const lost = await alarm(stand, 'scheduler')
    // Of the first one, which ended in order, there is no word.
    assert.match(lost.message, new RegExp(`Scheduler scheduler-${second} ended without a word`))
    assert.equal(lost.count, 1)
    stand.schedulers[second]?.cont()
    await acknowledge(stand, 'lamp.channel0.high', 'seen')
    await told(hook, 'lamp.channel0.high acknowledged')
    assert.equal(timesTold(hook, 'lamp.channel0.high raised'), 1)
    assert.equal(timesTold(hook, 'lamp.channel0.high acknowledged'), 1)
  })
})

test('Redis is away for longer than the lease: alarms and who has acknowledged them are as before, and told once', async () => {
  await withAlarms(async ({ stand, hook }) => {
    await setLevel(stand, 60)
    await told(hook, 'lamp.channel0.high raised')
    await acknowledge(stand, 'lamp.channel0.high', 'seen')
    await eventually(async () => (await alarm(stand, 'lamp.channel0.high')).acknowledged, {
      what: 'it is acknowledged',
    })
    await stand.redis.kill()
    await sleep(6_000)
    await stand.redis.start()
    await alarm(stand, 'scheduler')
    const high = await alarm(stand, 'lamp.channel0.high')
    assert.deepEqual([high.count, high.acknowledged?.note], [1, 'seen'])
    // Nothing was read while Redis was away, and that is no fault of the lamp's.
    await sleep(6_000)
    const ids = (await alarmsOf(stand)).map(({ id }) => id)
    assert.deepEqual(ids.toSorted(), ['lamp.channel0.high', 'scheduler'])
    assert.equal(timesTold(hook, 'lamp.channel0.high raised'), 1)
  })
})

test('a mail server that refuses is told by the others with what it said', async () => {
  writeFileSync(join(secrets.path, 'wrong'), 'opensesam\n')
  const account = { user: 'golem', secretFile: join(secrets.path, 'wrong') }
  const refuser = await startMailbox({ user: 'golem', password: 'opensesame' })
  const wrong = {
    name: 'wrong',
    kind: 'email',
    server: refuser.url,
    from: 'a@lab.example',
    to: ['b@lab.example'],
  }
  try {
    await withAlarms(
      async ({ stand }) => {
        await setLevel(stand, 60)
        const failing = await alarm(stand, 'notifier.wrong')
        assert.match(failing.message, /wrong is not mailed: .*(535|authentication|password)/i)
        assert.doesNotMatch(JSON.stringify(await alarmsOf(stand)), /opensesam/)
        assert.equal(refuser.mails.length, 0)
      },
      [{ ...wrong, ...account }],
    )
  } finally {
    await refuser.close()
  }
})

test('a message that was not confirmed is sent by the next leader under the same id', async () => {
  await withAlarms(async ({ stand, hook }) => {
    hook.status = null
    await setLevel(stand, 60)
    await eventually(() => hook.received.length > 0, { what: 'the message is on its way' })
    await stand.schedulers[await leaderOf(stand)]?.kill('SIGKILL')
    hook.status = 200
    const call = await eventually(() => hook.calls[0], {
      what: 'the next leader delivers it',
      timeoutMs: 30_000,
    })
    assert.deepEqual(call.told, ['lamp.channel0.high raised'])
    assert.equal(call.headers['idempotency-key'], hook.received[0])
  })
})

test('a notifier that fails is an alarm that the others are told; it is over when it works again', async () => {
  await withAlarms(async ({ stand, hook, mailbox }) => {
    hook.status = 500
    await setLevel(stand, 60)
    const failing = await alarm(stand, 'notifier.hook')
    assert.match(failing.message, /hook can't be told of alarms: hook answered 500/)
    await eventually(() => mailbox.mails.some(({ text }) => text.includes('notifier.hook')), {
      what: 'mail tells that the webhook fails',
      timeoutMs: 30_000,
    })
    hook.status = 200
    await alarm(stand, 'notifier.hook', 'returned')
    assert.deepEqual(hook.calls[0]?.told, ['lamp.channel0.high raised'])
    assert.ok(!hook.calls.some(({ text }) => text.includes('notifier.hook')))
  })
})

test('a worker that is killed and an instrument that is silent are alarms; stale readings are, too', async () => {
  await withAlarms(async ({ stand }) => {
    await stand.sim.device('lamp').unplug()
    await alarm(stand, 'lamp.lost')
    await alarm(stand, 'lamp.channel0.stale')
    await stand.workers[0]?.kill('SIGKILL')
    const lost = await alarm(stand, 'worker.worker-0')
    assert.equal(lost.severity, 'critical')
    assert.match(lost.message, /has not been heard of for \d+ s/)
  })
})

test('an admin tests a notifier, and the log says what came of it', async () => {
  await withAlarms(async ({ stand, hook, mailbox }) => {
    const check = (name: string) => stand.api(`/api/notifiers/${name}/test`, { method: 'POST' })
    await eventually(async () => (await check('mail')).status === 202, { what: 'a scheduler leads' })
    await eventually(() => mailbox.mails.some(({ text }) => text.includes('Subject: [test] test of mail')), {
      what: 'the test arrives',
    })
    hook.status = 403
    assert.equal((await check('hook')).status, 202)
    const said = (name: string): Promise<SiteEvent> =>
      eventually(
        async () => {
          const { body } = await stand.api<SiteEvent[]>('/api/events?kind=notify')
          return body.find(({ message }) => message.startsWith(`${name} was tested`))
        },
        { what: 'the log tells of the test' },
      )
    assert.equal((await said('mail')).message, 'mail was tested, and has taken the message.')
    assert.match((await said('hook')).message, /^hook was tested, and failed: hook answered 403/)
    assert.equal((await check('fax')).status, 404)
  })
})

test('a run inhibits the alarm that its recipe names, and says so; when it is over people are called', async () => {
  await withAlarms(async ({ stand, hook }) => {
    const folder = join(stand.dir, 'recipes')
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      join(folder, 'bright.yaml'),
      'label: Bright\nstages:\n  - name: on\n    inhibitAlarms: [lamp.channel0.high]\n    steps: [{ set: { lamp.channel0: 60 } }, { wait: 1 h }]\n',
    )
    const runs = new Runs(stand)
    await runs.recipe('bright')
    const id = await runs.start('bright')
    const high = await alarm(stand, 'lamp.channel0.high')
    assert.match(high.inhibited ?? '', new RegExp(`^Run ${id} of Bright inhibits it, in its stage on\\.$`))
    assert.deepEqual((await runs.get(id)).inhibits, ['lamp.channel0.high'])
    assert.equal(timesTold(hook, 'lamp.channel0.high raised'), 0)
    await runs.ask(id, 'kill')
    await told(hook, 'lamp.channel0.high raised')
    assert.equal((await alarm(stand, 'lamp.channel0.high')).inhibited, undefined)
  })
})
