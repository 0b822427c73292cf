// If code imports this file on demand, a bundle includes only this function; importing the package itself on demand
// would include all of it.
export { zipSync } from 'fflate';
