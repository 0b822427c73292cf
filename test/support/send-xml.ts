import type { ServerResponse } from 'node:http';

export function sendXml(
  response: ServerResponse,
  status: number,
  xml: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`);
  const own = { 'content-type': 'application/xml', 'content-length': body.length };
  response.writeHead(status, { ...own, ...headers });
  response.end(body);
}

/** An element of XML with a text. */
export function element(name: string, text: string): string {
  const escaped = text.replace(/[&<>"'\r\n]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<${name}>${escaped}</${name}>`;
}
