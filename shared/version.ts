/** Version of Ternion; a test holds it equal to package.json, which the bundles do not carry. */
export const VERSION = '0.1.0';
