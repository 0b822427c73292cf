/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What proves who asks: a key of the account, or a shared access signature, which is a part of each query. */
export type StorageProof =
  | { readonly is: 'key'; readonly key: string }
  | { readonly is: 'signature'; readonly query: string };

/** A storage account, and where its blobs are. */
export interface StorageAccount {
  readonly name: string;
  /** The address of its blobs, without a slash at the end. */
  readonly endpoint: string;
  /** Undefined if only a token of Microsoft Entra can prove it. */
  readonly proof: StorageProof | undefined;
}

const DOMAIN = 'core.windows.net';
/** Tokens and signatures are sent to these servers only, and to the one of the connection string. */
const SERVERS =
  /^[a-z0-9-]+(?:\.z\d+)?\.blob\.(?:core\.windows\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net|storage\.azure\.net)$/i;
/** The account of every emulator, which is public. Source: the documentation of Azurite. */
const EMULATOR: Readonly<Record<string, string>> = {
  accountname: 'devstoreaccount1',
  accountkey: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
  blobendpoint: 'http://127.0.0.1:10000/devstoreaccount1',
};

/**
 * The storage account of this process, with what the environment has to prove who asks. Source: the guides to
 * connection strings of Azure Storage, and to the variables of the Azure CLI.
 *
 * @param server the server of another account, such as `account.blob.core.windows.net`
 * @throws Error when there is none, or when a variable cannot be used
 */
export function findStorageAccount(env: Environment, server?: string): StorageAccount {
  const { AZURE_STORAGE_CONNECTION_STRING: text = '', AZURE_STORAGE_ACCOUNT: named = '' } = env;
  const connection = text === '' ? undefined : readConnectionString(text);
  if (connection && (server === undefined || new URL(connection.endpoint).host === server.toLowerCase()))
    return { ...connection, proof: connection.proof ?? proofIn(env, connection.name) };
  if (server !== undefined) {
    if (!SERVERS.test(server))
      throw new Error(
        `${JSON.stringify(server)} is not a server of Azure; expected <account>.blob.${DOMAIN}, or the one of BlobEndpoint in AZURE_STORAGE_CONNECTION_STRING`,
      );
    const name = nameIn(new URL(`https://${server}`));
    return { name, endpoint: `https://${server}`, proof: proofIn(env, name) };
  }
  if (named === '')
    throw new Error('there is no account; set AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING');
  if (!/^[a-z0-9-]+$/.test(named))
    throw new Error(`AZURE_STORAGE_ACCOUNT is ${JSON.stringify(named)}; expected the name of an account`);
  return { name: named, endpoint: `https://${named}.blob.${DOMAIN}`, proof: proofIn(env, named) };
}

/** What the variables beside the connection string have, if they are about this account. */
function proofIn(env: Environment, account: string): StorageProof | undefined {
  const { AZURE_STORAGE_ACCOUNT: named = '', AZURE_STORAGE_KEY: key = '' } = env;
  if (named !== '' && named !== account) return undefined;
  if (key !== '') return { is: 'key', key };
  return signatureOf(env.AZURE_STORAGE_SAS_TOKEN ?? '', 'AZURE_STORAGE_SAS_TOKEN');
}

/** @throws Error whose message has nothing of the text, which has secrets */
function readConnectionString(text: string): StorageAccount {
  const given = membersOf(text);
  const members = given.usedevelopmentstorage === 'true' ? { ...EMULATOR, ...given } : given;
  const { accountname = '', accountkey = '', blobendpoint = '', sharedaccesssignature = '' } = members;
  const { defaultendpointsprotocol: scheme = 'https', endpointsuffix = DOMAIN } = members;
  if (accountname === '' && blobendpoint === '')
    throw new Error('AZURE_STORAGE_CONNECTION_STRING has neither AccountName nor BlobEndpoint');
  const address = blobendpoint === '' ? `${scheme}://${accountname}.blob.${endpointsuffix}` : blobendpoint;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '')
    throw new Error('AZURE_STORAGE_CONNECTION_STRING does not lead to an address of http:// or https://');
  return {
    name: accountname === '' ? nameIn(url) : accountname,
    endpoint: `${url.origin}${url.pathname}`.replace(/\/+$/, ''),
    proof:
      accountkey === ''
        ? signatureOf(sharedaccesssignature, 'SharedAccessSignature')
        : { is: 'key', key: accountkey },
  };
}

/** `Name=value` pairs with semicolons between them; keys end in `=`. Names are in lower case. */
function membersOf(text: string): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    text.split(';').map((pair) => {
      const end = pair.indexOf('=');
      return [pair.slice(0, Math.max(end, 0)).trim().toLowerCase(), pair.slice(end + 1).trim()];
    }),
  );
}

/** Emulators have the account in the path. */
function nameIn({ hostname, pathname }: URL): string {
  const isAddress = /^[\d.]+$|^\[|^localhost$/.test(hostname);
  return (isAddress ? pathname.split('/')[1] : hostname.split('.')[0]) ?? '';
}

/** @throws Error whose message has nothing of the signature */
function signatureOf(text: string, title: string): StorageProof | undefined {
  const query = text.trim().replace(/^\?/, '');
  if (query === '') return undefined;
  if (!/^[\w.~%+:/=&,-]+$/.test(query) || !/(?:^|&)sig=/.test(query))
    throw new Error(`${title} is not a shared access signature; expected a query such as sv=…&sig=…`);
  return { is: 'signature', query };
}
