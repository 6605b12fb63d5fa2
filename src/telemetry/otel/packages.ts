import { SpillwayError } from '../../protocol/errors.ts';

/** The optional packages, once they are there. */
export interface Packages {
  readonly api: typeof import('@opentelemetry/api');
  readonly sdk: typeof import('@opentelemetry/sdk-node');
}

/** Loads the packages of OpenTelemetry, which come with nobody who does not ask for them.
 *  @throws SpillwayError `SPILLWAY_MISSING_PACKAGE` with the line that installs them. */
export async function loadPackages(): Promise<Packages> {
  try {
    const [api, sdk] = await Promise.all([import('@opentelemetry/api'), import('@opentelemetry/sdk-node')]);
    return { api, sdk };
  } catch (error) {
    throw new SpillwayError(
      'SPILLWAY_MISSING_PACKAGE',
      'Expected the packages of OpenTelemetry, because `telemetry.otlp` is on; they are not installed: npm install @opentelemetry/api @opentelemetry/sdk-node',
      { cause: error },
    );
  }
}
