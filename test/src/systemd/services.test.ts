import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { FleetDocument, StateDocument } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Machine, startMachine, whyNoMachine } from '../kit/machine.ts'

/** A board on the network and an analyser on a serial port, both of the simulator. */
const SITE = {
  site: 'test',
  lease: '2 s',
  instruments: [
    { id: 'board', model: 'esp32-relay', address: 'http://127.0.0.1:8101' },
    { id: 'analyser', model: 'sba5', address: 'serial:/run/ports/sba5' },
  ],
}
const UNITS = [
  'golem-redis.service',
  'golem-web.socket',
  'golem-web@1.service',
  'golem-web@2.service',
  'golem-worker@1.service',
  'golem-worker@2.service',
  'golem-scheduler.service',
  'golem-archiver.service',
]

const reason = whyNoMachine()

describe('services in a real systemd', { skip: reason ?? false }, () => {
  let machine: Machine

  const getJson = async <T>(path: string): Promise<T> =>
    JSON.parse(await machine.run(`curl -sf --max-time 5 http://127.0.0.1:8000${path}`)) as T
  const fleet = (): Promise<FleetDocument> => getJson<FleetDocument>('/api/fleet')
  const property = (unit: string, name: string): Promise<string> =>
    machine.run(`systemctl show -P ${name} ${unit}`)
  /** As a user without password or rights, who is not asked for one. */
  const asUser = (user: string, command: string): Promise<{ code: number; output: string }> =>
    machine.attempt(`su ${user} -c '${command}'`)

  before(async () => {
    machine = startMachine()
    await machine.run(`
      mkdir -p /etc/golem /etc/systemd/system/golem-worker@.service.d
      cat >/etc/golem/site.yaml <<'X'\n${JSON.stringify(SITE)}\nX
      # Not to wait 20 s for the watchdog.
      printf '[Service]\\nWatchdogSec=2\\n' >/etc/systemd/system/golem-worker@.service.d/short.conf
      useradd -m anna; useradd -m boris
      systemd-run --quiet --unit=simulator node /opt/golem/apps/simulator/dist/main.js --ports relay-1=8101 --pty-dir /run/ports
      until journalctl -u simulator -o cat | grep -q '"ready":true'; do sleep 0.1; done
      # As udev has serial ports.
      chgrp dialout "$(readlink -f /run/ports/sba5)"; chmod 660 "$(readlink -f /run/ports/sba5)"
      /opt/golem/deploy/install.sh --no-apt --webs 2 --workers 2
      chgrp golem /etc/golem/site.yaml; usermod -aG golem-operators anna`)
  })
  after(() => machine?.close())

  test('after installing all of them are active, the page answers and both workers are seen', async () => {
    for (const unit of UNITS) assert.equal(await property(unit, 'ActiveState'), 'active', unit)
    assert.match(await machine.run('curl -sf http://127.0.0.1:8000/readyz'), /./)
    await eventually(async () => (await fleet()).workers.filter(({ alive }) => alive).length === 2, {
      what: 'both workers are seen',
    })
  })

  test('a worker in its sandbox reaches a board on the network and an analyser on a serial port', async () => {
    for (const id of ['board', 'analyser']) {
      await eventually(
        async () => {
          const { instruments } = await getJson<StateDocument>('/api/state')
          const state = instruments[id]
          if (!state?.seenAt) throw new Error(JSON.stringify(state))
          return true
        },
        { what: `${id} has answered`, timeoutMs: 20_000 },
      )
    }
  })

  test('a worker that was killed is started again, and its link has an owner all the while or soon', async () => {
    const before = await property('golem-worker@1', 'MainPID')
    await machine.run(`kill -KILL ${before}`)
    await eventually(
      async () =>
        (await property('golem-worker@1', 'ActiveState')) === 'active' &&
        (await property('golem-worker@1', 'MainPID')) !== before,
      { what: 'systemd has started the worker again', timeoutMs: 20_000 },
    )
    await eventually(
      async () => {
        const { workers, leases: all } = await fleet()
        const leases = all.filter(({ link }) => link !== 'scheduler' && link !== 'archiver')
        const alive = workers.filter((worker) => worker.alive).map(({ id }) => id)
        return leases.length === 2 && leases.every(({ worker }) => alive.includes(worker))
      },
      { what: 'a living worker owns the link', timeoutMs: 20_000 },
    )
  })

  test('a worker that hangs is ended by the watchdog and started again', async () => {
    const before = await property('golem-worker@2', 'MainPID')
    await machine.run(`kill -STOP ${before}`)
    await eventually(async () => Number(await property('golem-worker@2', 'NRestarts')) >= 1, {
      what: 'the watchdog has ended the hanging worker',
      timeoutMs: 20_000,
    })
    assert.match(await machine.run('journalctl -u golem-worker@2 --no-pager'), /Watchdog timeout/)
    await eventually(async () => (await property('golem-worker@2', 'ActiveState')) === 'active', {
      what: 'it is active again',
      timeoutMs: 20_000,
    })
  })

  test('web processes restarted one by one lose no request', async () => {
    const output = await machine.run(`
      ( until [ -e /tmp/over ]; do
          curl -sf --max-time 10 -o /dev/null http://127.0.0.1:8000/api/state && echo answered || echo lost
        done | sort | uniq -c ) & load=$!
      systemctl restart golem-web@1 && systemctl restart golem-web@2
      touch /tmp/over; wait $load`)
    assert.match(output, /^\s*\d+ answered$/)
  })

  test('an operator starts, stops and restarts golem and nothing else', async () => {
    for (const command of [
      'restart golem-worker@1',
      'stop golem-web@2',
      'start golem-web@2',
      'start golem.target',
    ]) {
      const { code, output } = await asUser('anna', `systemctl --no-ask-password ${command}`)
      assert.equal(code, 0, `${command}: ${output}`)
    }
    const refused = [
      'systemctl --no-ask-password stop dbus.service',
      'systemctl --no-ask-password restart systemd-journald.service',
      'systemctl --no-ask-password kill golem-worker@1',
      'systemctl --no-ask-password start golem-evil.service',
      'systemctl --no-ask-password disable golem.target',
      'systemctl --no-ask-password daemon-reload',
      'systemd-run --no-ask-password true',
    ]
    for (const command of refused) {
      const { code, output } = await asUser('anna', command)
      assert.notEqual(code, 0, `${command} was allowed`)
      assert.match(output, /auth|denied|Access/i, command)
    }
  })

  test('somebody who is no operator stops nothing', async () => {
    const { code, output } = await asUser('boris', 'systemctl --no-ask-password stop golem-worker@1')
    assert.notEqual(code, 0)
    assert.match(output, /auth|denied/i)
    assert.equal(await property('golem-worker@1', 'ActiveState'), 'active')
  })

  test('the settings are not readable for others, and golem writes below its own folder only', async () => {
    assert.notEqual((await asUser('boris', 'cat /etc/golem/golem.env')).code, 0)
    const owned = await machine.run('find /etc /home /root /srv /usr/local /var -xdev -user golem -prune')
    assert.deepEqual(owned.split('\n'), ['/var/lib/golem'])
  })

  test('installing again keeps the settings and takes away what is not wanted any more', async () => {
    const before = await machine.run('cat /etc/golem/*')
    await machine.run('/opt/golem/deploy/install.sh --no-apt --webs 1 --workers 1')
    assert.equal(await machine.run('cat /etc/golem/*'), before)
    assert.equal(await property('golem-web@2', 'ActiveState'), 'inactive')
    assert.equal(await property('golem-web@1', 'ActiveState'), 'active')
  })

  test('stopping the target stops all, and uninstalling leaves data and settings', async () => {
    await machine.run('systemctl stop golem.target "golem-*"')
    for (const unit of UNITS) assert.notEqual(await property(unit, 'ActiveState'), 'active', unit)
    await machine.run('/opt/golem/deploy/install.sh --uninstall')
    assert.equal(await machine.run('systemctl list-unit-files --no-legend "golem*" || true'), '')
    await machine.run('test -e /etc/golem/site.yaml && test -d /var/lib/golem/redis')
  })
})
