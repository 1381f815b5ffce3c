import fc from 'fast-check'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { readPythonLiteral } from './python-literal.ts'
import { exceptionOfInfo, messageOfPython } from './python-message.ts'

const RENDERED: [string, string, string][] = [
  ['temp %s is %.1f', "('A&B', 21.55)", 'temp A&B is 21.6'],
  ['nothing to fill in: 100 %', '()', 'nothing to fill in: 100 %'],
  ['early formatted', 'None', 'early formatted'],
  ['%(what)s at %(where)r', "{'what': 'leak', 'where': 'valve'}", "leak at 'valve'"],
  ['%d%% of %s', '(5, [1, None, True])', '5% of [1, None, True]'],
  ['%5d|%-5d|%05d|%+d|%x|%#X', '(42, 42, 42, 42, 255, 255)', '   42|42   |00042|+42|ff|0XFF'],
  ['%e %g %g %G', '(12345.678, 1e-05, 123456789.0, 1e20)', '1.234568e+04 1e-05 1.23457e+08 1E+20'],
  ['ties %.0f %.2f %.1f', '(0.5, 0.125, 0.25)', 'ties 0 0.12 0.2'],
  ['%s', "('line\\nsecond \\u2603 \\'q\\'',)", "line\nsecond ☃ 'q'"],
  ['%s', '(-inf,)', '-inf'],
  ['%s and %s', "('the dict', {'a': (1, 2.0)})", "the dict and {'a': (1, 2.0)}"],
  ['%*.*f|', '(8, 2, 3.14159)', '    3.14|'],
  ['%s', "{'a': 1}", "{'a': 1}"],
]

for (const [template, args, message] of RENDERED) {
  test(`"${template}" with ${args} is read as Python writes it`, () => {
    assert.equal(messageOfPython(template, args), message)
  })
}

/** Whatever can't be known for sure is shown as it came. */
const DOUBTFUL: [string, string][] = [
  ['%s', '(<Foo object at 0x7f0c>,)'],
  ['%s %s', "('one',)"],
  ['none', "('one',)"],
  ['%d', "('text',)"],
  ['%x', '(1.5,)'],
  ['%(name)s', "('tuple',)"],
  ['%(name)s', "{'other': 1}"],
  ['%y', '(1,)'],
  ['100 %!', "('x',)"],
  ['%s', "('unfinished"],
  ['%s', "(__import__('os').system('true'),)"],
  ['%s', '(datetime.datetime(2026, 5, 1, 8, 30),)'],
  ['%99999999s', "('x',)"],
  ['%.999f', '(1.5,)'],
  ['%s', '(1)'],
  ['%s', `(${'['.repeat(60)}${']'.repeat(60)},)`],
]

for (const [template, args] of DOUBTFUL) {
  test(`"${template}" with ${args.slice(0, 50)} is shown side by side`, () => {
    assert.equal(messageOfPython(template, args), `${template} ${args}`)
  })
}

test('class and text of an exception come from the text of exc_info, of old Pythons too', () => {
  const info = (shown: string, name = 'ZeroDivisionError'): string =>
    `(<class '${name}'>, ${shown}, <traceback object at 0x7f5a8c0b9d40>)`
  assert.equal(
    exceptionOfInfo(info("ZeroDivisionError('division by zero')")),
    'ZeroDivisionError: division by zero',
  )
  assert.equal(
    exceptionOfInfo(info("ZeroDivisionError('division by zero',)")),
    'ZeroDivisionError: division by zero',
  )
  assert.equal(exceptionOfInfo(info('KeyboardInterrupt()', 'KeyboardInterrupt')), 'KeyboardInterrupt')
  assert.equal(exceptionOfInfo(info("OSError(2, 'No file')", 'lab.OSError')), "lab.OSError: 2, 'No file'")
  assert.equal(exceptionOfInfo(info('<odd>', 'lab.Odd')), 'lab.Odd: <odd>')
  assert.equal(exceptionOfInfo('None'), undefined)
  assert.equal(exceptionOfInfo('(None, None, None)'), undefined)
})

test('no text hangs or breaks the reader, and what it reads it gives back as it came', () => {
  const pieces = fc.constantFrom(
    '(', ')', '[', ']', '{', '}', ',', ':', "'", '"', '\\', 'b', 'None', '1', '-2.5e3', 'inf', ' ', 'x', '\\x41', 'é',
  ) // prettier-ignore
  const literal = fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(literal, fc.string()), fc.string(), (args, template) => {
      const value = readPythonLiteral(args)
      if (value !== undefined) assert.equal(value.source, args.replace(/^ +| +$/g, ''))
      assert.equal(typeof messageOfPython(template, args), 'string')
    }),
    { numRuns: 3_000 },
  )
})

/** Templates and arguments of Python's own making, and what it makes of them. */
const ORACLE = String.raw`
import json, random, sys
r = random.Random(7)
def value(depth=2):
    kind = r.randrange(9 if depth else 6)
    if kind == 0: return r.choice([0, 1, -7, 255, 10**18, -2**70, r.randrange(-1000, 1000)])
    if kind == 1: return r.choice([0.5, 0.125, 2.5, 1e-7, 1e16, 123456.789, -0.0, float('inf'), float('nan'), r.uniform(-1e3, 1e3), r.random() * 10 ** r.randrange(-12, 12)])
    if kind in (2, 3): return r.choice(['', 'a', "it's", 'say "no"', 'é☃\U0001f600', 'tab\t\n\\', '\x00\x7f\x80\u2028', 'A&B %s', "both ' and \""])
    if kind == 4: return r.choice([None, True, False])
    if kind == 5: return r.choice([b'', b'\xff\x00"\'', b'plain'])
    if kind == 6: return tuple(value(depth - 1) for _ in range(r.randrange(3)))
    if kind == 7: return [value(depth - 1) for _ in range(r.randrange(3))]
    return {r.choice(['a', 'b', 1]): value(depth - 1) for _ in range(r.randrange(3))}
out = []
while len(out) < 1500:
    args = tuple(value() for _ in range(r.randrange(1, 4)))
    parts = []
    for a in args:
        letter = r.choice('sr' if not isinstance(a, (int, float)) else 'srdixXofFeEgGc')
        spec = r.choice(['', '', '', '-', '+', '0', ' ', '#']) + r.choice(['', '', '6', '12']) + r.choice(['', '', '.0', '.1', '.3', '.10'])
        parts.append('%' + spec + letter)
    template = r.choice([' ', ' %% ', '|']).join(parts)
    if r.random() < 0.2:
        d = {'k': args[0]}
        template, args = parts[0].replace('%', '%(k)', 1), d
    try: want = template % args
    except Exception: want = None
    out.append([template, str(args), want])
json.dump(out, sys.stdout)
`

test('a thousand random templates become what Python itself makes of them, or are shown side by side', () => {
  const out = execFileSync('/usr/bin/python3', ['-c', ORACLE], {
    encoding: 'utf8',
    env: { PYTHONIOENCODING: 'utf8' },
  })
  const cases = JSON.parse(out) as [string, string, string | null][]
  let rendered = 0
  for (const [template, args, want] of cases) {
    const got = messageOfPython(template, args)
    const side = `${template} ${args}`
    if (got === side) continue
    rendered += 1
    assert.equal(got, want, side)
  }
  assert.ok(rendered > 1_000, `only ${rendered} of ${cases.length} were rendered`)
})
