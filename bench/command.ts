/** Runs a bench as a command, and ends the process: with its usage where the options are not understood. */
export async function runCommand<Options>(
  options: Options | undefined,
  usage: string,
  bench: (options: Options) => Promise<void>,
): Promise<never> {
  if (options === undefined) {
    process.stderr.write(`${usage}\n`)
    process.exit(2)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
  try {
    await bench(options)
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
  process.exit()
}
