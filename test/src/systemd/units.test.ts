import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../kit/root.ts'

const FOLDER = join(ROOT, 'deploy', 'systemd')
const units = readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }))

test('every service stops and restarts with golem.target and is never given up on', () => {
  for (const { name, text } of units.filter((unit) => unit.name.endsWith('.service'))) {
    assert.match(text, /^PartOf=golem\.target$/m, name)
    assert.match(text, /^Restart=always$/m, name)
    assert.match(text, /^StartLimitIntervalSec=0$/m, name)
    assert.match(text, /^Type=notify$/m, name)
  }
})

test('no service that runs Node forbids it to compile', () => {
  for (const { name, text } of units.filter((unit) => / node /.test(unit.text))) {
    assert.doesNotMatch(text, /^MemoryDenyWriteExecute=/m, name)
  }
})

test('the scripts are well-formed', () => {
  for (const script of ['install.sh', 'start-redis'])
    execFileSync('/bin/bash', ['-n', join(ROOT, 'deploy', script)])
})

test('workers may open USB instruments, and only those: udev gives their files to the group the workers run in', () => {
  const worker = units.find(({ name }) => name === 'golem-worker@.service')?.text ?? ''
  assert.match(worker, /^DevicePolicy=closed$/m)
  assert.match(worker, /^DeviceAllow=char-usb\* rw$/m)
  assert.match(worker, /^DeviceAllow=char-hidraw rw$/m)
  assert.match(worker, /^Group=golem$/m)
  const rules = readFileSync(join(ROOT, 'deploy', 'udev', '60-golem.rules'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  assert.equal(rules.length, 2)
  for (const rule of rules) assert.match(rule, /^KERNEL==".*GROUP="golem", MODE="0660"$/)
})
