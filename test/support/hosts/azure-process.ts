// Runs an Azure Functions bundle without its host: node azure-process.ts <folder> <port>
import { Module } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createAzureStandIn } from './azure-stand-in.ts';
import { serve } from './node-server.ts';

const [folder = '', port = ''] = process.argv.slice(2);
const standIn = createAzureStandIn();

// The worker supplies the core module in the same way: it is not a package that could be installed.
const originalRequire = Module.prototype.require;
Module.prototype.require = Object.assign(function (this: Module, id: string): unknown {
  return id === '@azure/functions-core' ? standIn.core : originalRequire.call(this, id);
}, originalRequire);

await import(pathToFileURL(join(folder, 'index.mjs')).href);
const host = standIn.open();
serve(Number(port), (request) => host.send(request));
