/**
 * Modules of Node that take 3 to 6 ms to load, and that most starts and their first answers do without. A module is
 * loaded with its first use.
 */
export const nodeCrypto = () => process.getBuiltinModule('node:crypto');
export const nodeV8 = () => process.getBuiltinModule('node:v8');
export const nodeZlib = () => process.getBuiltinModule('node:zlib');
