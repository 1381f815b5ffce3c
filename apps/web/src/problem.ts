import { type ErrorCode, GolemError, asGolemError } from '@golem/core'
import { randomBytes } from 'node:crypto'

/** The answer to a request that could not be met, as RFC 9457 has it, with golem's own members. */
export interface ProblemDocument {
  type: string
  title: string
  status: number
  detail: string
  code: ErrorCode
  /** What the request has done to the instrument. */
  effect: 'none' | 'unknown' | 'done'
  /** What in the request is at fault: a JSON pointer into the body, or `path.id`, `query.limit`, `header.prefer`. */
  field?: string
  [particular: string]: unknown
}

export interface Problem {
  document: ProblemDocument
  headers: Readonly<Record<string, string>>
  /** The error is a bug of golem's and belongs into the log, with `document.reference`. */
  bug: boolean
}

/** The part of Fastify's errors that is used here. */
interface HttpError {
  code?: unknown
  statusCode?: unknown
  message: string
  validation?: readonly SchemaFault[]
  validationContext?: string
}

interface SchemaFault {
  keyword: string
  instancePath: string
  message?: string
  params: Record<string, unknown>
}

/**
 * Turns any error into a problem document; nothing else in the web process does.
 *
 * @param error - what was thrown
 * @param reading - the request could not have had an effect (GET, HEAD)
 */
export function problemOf(error: unknown, reading = false): Problem {
  const known = error instanceof GolemError ? error : fromHttpError(error)
  const bug = known.code === 'INTERNAL'
  const reference = bug ? randomBytes(4).toString('hex') : undefined
  const document: ProblemDocument = {
    ...known.details,
    type: `urn:golem:error:${known.code}`,
    title: titleOf(known.code),
    status: typeof known.details['status'] === 'number' ? known.details['status'] : known.status,
    detail: bug
      ? `Something went wrong inside golem. The log of the web process says more under ${reference}.`
      : known.message,
    code: known.code,
    effect: reading ? 'none' : known.effect,
    ...(known.field === undefined ? {} : { field: known.field }),
    ...(reference === undefined ? {} : { reference }),
  }
  return { document, headers: headersFor(known), bug }
}

function titleOf(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function headersFor({ code, details }: GolemError): Record<string, string> {
  switch (code) {
    case 'QUEUE_DOWN':
    case 'QUEUE_FULL':
    case 'WORKER_AWAY':
    case 'TOO_MANY_REQUESTS':
      return { 'retry-after': '1' }
    case 'NOT_AUTHENTICATED':
      return { 'www-authenticate': 'Bearer realm="golem"' }
    case 'METHOD_NOT_ALLOWED':
      return { allow: String(details['allow']) }
    default:
      return {}
  }
}

function fromHttpError(error: unknown): GolemError {
  if (!(error instanceof Error)) return asGolemError(error)
  const http: HttpError = error
  if (http.validation?.[0]) return fromSchemaFault(http.validation[0], http.validationContext ?? 'body')
  switch (http.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new GolemError('BODY_TOO_LARGE', 'The body is larger than 64 kB.', { field: 'body' })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_TYPE':
      return new GolemError(
        'WRONG_MEDIA_TYPE',
        'The body has to be JSON, sent with "Content-Type: application/json".',
        { field: 'header.content-type' },
      )
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return invalid('The body is not as long as Content-Length says.', 'header.content-length')
    case 'FST_ERR_BAD_URL':
      return invalid('The path of the request has a broken % sequence.', 'path')
    default:
      break
  }
  if (typeof http.statusCode === 'number' && http.statusCode >= 400 && http.statusCode < 500) {
    return invalid(`The request can't be understood: ${http.message}.`, 'request', error)
  }
  return asGolemError(error)
}

function fromSchemaFault(fault: SchemaFault, context: string): GolemError {
  const { keyword, instancePath, params } = fault
  const pointer = context === 'body' ? instancePath || 'body' : place(context, instancePath.slice(1))
  const said = fault.message ?? 'is not as it should be'
  switch (keyword) {
    case 'additionalProperties': {
      const key = clip(String(params['additionalProperty']))
      const field = context === 'body' ? `${instancePath}/${key}` : place(context, key)
      return invalid(`"${key}" is not known here.`, field)
    }
    case 'required': {
      const key = String(params['missingProperty'])
      const field = context === 'body' ? `${instancePath}/${key}` : place(context, key)
      return invalid(`"${key}" is missing.`, field)
    }
    case 'type':
      if (pointer === 'body') return invalid('The body has to be a JSON object.', pointer)
      return new GolemError('WRONG_TYPE', `${pointer} ${said}.`, { field: pointer })
    case 'minimum':
    case 'maximum':
    case 'minLength':
    case 'maxLength':
    case 'maxProperties':
    case 'enum':
      return new GolemError('OUT_OF_RANGE', `${pointer} ${said}.`, { field: pointer })
    default:
      return invalid(`${pointer} ${said}.`, pointer)
  }
}

function place(context: string, name: string): string {
  const part = { querystring: 'query', params: 'path', headers: 'header' }[context] ?? context
  return name === '' ? part : `${part}.${name}`
}

function invalid(message: string, field: string, cause?: unknown): GolemError {
  return new GolemError('INVALID_REQUEST', message, { field, ...(cause === undefined ? {} : { cause }) })
}

/** A text from outside, short enough for a message. */
export function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
