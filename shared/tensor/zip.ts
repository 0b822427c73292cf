// On demand through this file, a bundle takes this one along; imported there, it would take all of the package.
export { zipSync } from 'fflate';
