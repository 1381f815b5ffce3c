import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPickle } from './pickle.ts'
import { SyslogFrames } from './syslog-frames.ts'
import { readSyslog } from './syslog.ts'

const read = (text: string): unknown => readSyslog(Buffer.from(text))

test('RFC 5424: the examples of the standard', () => {
  assert.deepEqual(
    read(
      "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \uFEFF'su root' failed for lonvick on /dev/pts/8",
    ),
    {
      level: 'critical',
      message: "'su root' failed for lonvick on /dev/pts/8",
      logger: 'su',
      time: Date.parse('2003-10-11T22:14:15.003Z'),
      extra: { host: 'mymachine.example.com', msgid: 'ID47', facility: 'auth' },
    },
  )
  assert.deepEqual(
    read(
      '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" ' +
        'eventSource="App\\"li\\]cation" eventID="1011"][examplePriority@32473 class="high"]',
    ),
    {
      level: 'notice',
      message: '',
      logger: 'evntslog',
      time: Date.parse('2003-10-11T22:14:15.003Z'),
      extra: {
        host: 'mymachine.example.com',
        msgid: 'ID47',
        'exampleSDID@32473.iut': '3',
        'exampleSDID@32473.eventSource': 'App"li]cation',
        'exampleSDID@32473.eventID': '1011',
        'examplePriority@32473.class': 'high',
        facility: 'local4',
      },
    },
  )
})

test('structured data ties a message to a run or a reservation', () => {
  const record = read('<14>1 - - lab - - [golem run="run-7" reservation="12"] begun')
  assert.deepEqual(record, {
    level: 'info',
    message: 'begun',
    logger: 'lab',
    run: 'run-7',
    reservation: 12,
    extra: { 'golem.run': 'run-7', 'golem.reservation': '12' },
  })
})

test("Python's SysLogHandler: priority, text and NUL, with a traceback in it", () => {
  assert.deepEqual(read('<12>temp: 21.5\0'), { level: 'warning', message: 'temp: 21.5' })
  assert.deepEqual(read('<11>failed\nTraceback (most recent call last):\n  File "x"\nValueError: y\0'), {
    level: 'error',
    message: 'failed',
    exception: 'Traceback (most recent call last):\n  File "x"\nValueError: y',
  })
})

test('RFC 3164, with a time that has no year, and as rsyslog forwards', () => {
  assert.deepEqual(read('<13>Feb  5 17:32:18 pi-1 pump[81]: on'), {
    level: 'notice',
    message: 'on',
    logger: 'pump',
    extra: { host: 'pi-1', process: '81', time: 'Feb  5 17:32:18' },
  })
  assert.deepEqual(read('<14>2026-05-01T08:30:00+02:00 pi-1 pump: on'), {
    level: 'info',
    message: 'on',
    logger: 'pump',
    time: Date.parse('2026-05-01T06:30:00Z'),
    extra: { host: 'pi-1' },
  })
})

test('what has no priority, or a broken header, is kept as text', () => {
  assert.deepEqual(read('hello\n'), { level: 'info', message: 'hello' })
  assert.deepEqual(read('<999>x'), { level: 'info', message: '<999>x' })
  assert.deepEqual(read('<14>1 soon host app'), { level: 'info', message: '1 soon host app' })
  assert.deepEqual(read('<14>1 - h a - - [broken x] m'), {
    level: 'info',
    message: '1 - h a - - [broken x] m',
  })
  assert.equal(read('\0\n'), undefined)
  assert.equal(read('<14>'), undefined)
})

const cut = (...chunks: string[]): string[] => {
  const frames = new SyslogFrames()
  const found = chunks.flatMap((chunk) => frames.push(Buffer.from(chunk, 'latin1')))
  return [...found, ...frames.rest()].map((frame) => frame.toString('latin1'))
}

test('a stream is cut by NUL, by LF and by counted octets', () => {
  assert.deepEqual(cut('<134>one\0<134>two\0'), ['<134>one', '<134>two'])
  assert.deepEqual(cut('<11>a\nTraceback\n  b\0', '<11>c\nd', '\0'), ['<11>a\nTraceback\n  b', '<11>c\nd'])
  assert.deepEqual(cut('<14>a\n<14>b\n'), ['<14>a', '<14>b'])
  assert.deepEqual(cut('<14>a\n  more\n<14>b\n'), ['<14>a\n  more', '<14>b'])
  assert.deepEqual(cut('plain\nlines\n'), ['plain', 'lines'])
  assert.deepEqual(cut('5 <14>a6 <14>\nb', '7 <14>\0cd'), ['<14>a', '<14>\nb', '<14>\0cd'])
  assert.deepEqual(cut('<14>no end'), ['<14>no end'])
  assert.deepEqual(cut('500 <14>never'), ['<14>never'])
})

test('a message without end is cut, its rest thrown away, and the next one heard', () => {
  const found = cut('<14>' + 'x'.repeat(200_000), 'y'.repeat(100_000), 'end\n<14>next\n')
  assert.deepEqual(
    found.map((frame) => frame.length),
    [65_536, 8],
  )
  const frames = cut('99999 <14>x\n')
  assert.deepEqual(frames, ['99999 <14>x'])
})

test('where a stream is cut into segments makes no difference to counted octets', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 30 }), { maxLength: 6 }),
      fc.infiniteStream(fc.nat(9)),
      (texts, sizes) => {
        const messages = texts.map((text) => Buffer.from(`<14>${text}`))
        const all = Buffer.concat(messages.flatMap((one) => [Buffer.from(`${one.length} `), one]))
        const frames = new SyslogFrames()
        const found: Buffer[] = []
        for (let at = 0; at < all.length;) {
          const size = (sizes.next().value ?? 0) + 1
          found.push(...frames.push(all.subarray(at, at + size)))
          at += size
        }
        assert.deepEqual(found.map(String), messages.map(String))
        assert.deepEqual(frames.rest(), [])
      },
    ),
  )
})

test('no bytes break it', () => {
  const header = fc.constantFrom('<14>', '<14>1 ', '<14>1 - - - - - ', '<14>1 - - - - [', '12 <14>', '')
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 200 }), (start, bytes) => {
      const all = Buffer.concat([Buffer.from(start), bytes])
      const frames = new SyslogFrames()
      for (const frame of [all, ...frames.push(all), ...frames.rest()]) {
        assert.ok(typeof (readSyslog(frame)?.message ?? '') === 'string')
      }
    }),
    { numRuns: 3_000 },
  )
})

test('pickled records are known by their beginning', () => {
  assert.ok(isPickle(Buffer.from([0, 0, 1, 44, 0x7d, 0x71, 0])))
  assert.ok(isPickle(Buffer.from([0, 0, 1, 44, 0x80, 4, 0x95])))
  assert.ok(!isPickle(Buffer.from('<14>a pickle')))
  assert.ok(!isPickle(Buffer.from([0, 0])))
})
