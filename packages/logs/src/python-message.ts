import { formatPython } from './python-format.ts'
import { readPythonLiteral } from './python-literal.ts'

/**
 * The message of a Python log record as its writer would read it.
 *
 * @param template - `msg`, with its `%s`
 * @param args - the text of the tuple or dict that belongs in it, e.g. `('A&B', 21.55)`
 * @returns template and arguments side by side where there is any doubt
 */
export function messageOfPython(template: string, args: string | undefined): string {
  if (args === undefined || args === '()' || args === 'None' || args === '') return template
  const value = readPythonLiteral(args)
  const known = value !== undefined && (value.type === 'tuple' || value.type === 'dict')
  return (known ? formatPython(template, value) : undefined) ?? `${template} ${args}`
}

/**
 * Class and text of an exception from the text of `exc_info`, e.g.
 * `(<class 'ZeroDivisionError'>, ZeroDivisionError('division by zero'), <traceback object at 0x7f…>)`.
 *
 * @returns e.g. `ZeroDivisionError: division by zero`; undefined when there is none
 */
export function exceptionOfInfo(info: string): string | undefined {
  const found =
    /^\(<class '([\w.<>]{1,200})'>, ([^]*), (?:<traceback object at 0x[0-9a-fA-F]+>|None)\)$/.exec(info)
  if (!found) return undefined
  const [, name = '', shown = ''] = found
  const plain = name.replace(/^.*\./, '')
  if (!shown.startsWith(`${plain}(`) || !shown.endsWith(')')) return `${name}: ${shown}`
  const inner = shown.slice(plain.length + 1, -1)
  if (inner === '') return name
  // Python before 3.7 wrote a comma after a single argument.
  const value = readPythonLiteral(inner.replace(/,$/, ''))
  return `${name}: ${value?.type === 'text' ? value.text : inner}`
}
