/** Version of this package, as the gateway shows it among a person's sessions. A test holds it to package.json. */
export const VERSION = '0.1.0';
