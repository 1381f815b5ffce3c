import { type Command, InvalidArgumentError, Option } from 'commander'

/** Adds the options of commands that speak to the web process. */
export function withApi(command: Command): Command {
  return withSite(command)
    .option(
      '--url <url>',
      'address of golem (default: GOLEM_URL, the running `golem up`, http://127.0.0.1:8000)',
    )
    .option('--token-file <file>', 'file with your token (default: the one in GOLEM_TOKEN)')
}

/** Adds `--site`. */
export function withSite(command: Command): Command {
  return command.addOption(new Option('--site <file>', 'site file (default: GOLEM_SITE, instance/site.yaml)'))
}

/** Reads a span in seconds, e.g. `30`, `0.5`. */
export function seconds(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0 || value > 86_400) {
    throw new InvalidArgumentError('It has to be a number of seconds, 0 to 86400.')
  }
  return value
}

/** Reads a whole number from 1. */
export function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 99) {
    throw new InvalidArgumentError('It has to be a whole number, 1 to 99.')
  }
  return value
}

/** Reads a TCP port. */
export function port(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 65_535) {
    throw new InvalidArgumentError('It has to be a port, 1 to 65535.')
  }
  return value
}
