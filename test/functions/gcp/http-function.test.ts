import { describeHttpHost } from '../../contracts/http-host.ts';
import { openFunctionsFramework } from '../../hosts/child-process.ts';

describeHttpHost('the local bundle in the functions framework', () => openFunctionsFramework('local'));
