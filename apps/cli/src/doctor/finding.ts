/** One thing that was looked at. */
export interface Finding {
  level: 'ok' | 'warning' | 'fault'
  /** What was looked at: `Redis`, `clock`. */
  subject: string
  /** What was found, as a sentence. */
  message: string
  /** What to do about it, as a sentence. */
  advice?: string
}

export function ok(subject: string, message: string): Finding {
  return { level: 'ok', subject, message }
}

export function warning(subject: string, message: string, advice: string): Finding {
  return { level: 'warning', subject, message, advice }
}

export function fault(subject: string, message: string, advice: string): Finding {
  return { level: 'fault', subject, message, advice }
}
