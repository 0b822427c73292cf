// On demand through this file, a bundle takes these three along; imported there, it would take all of the package.
export { Unzip, UnzipInflate, zipSync } from 'fflate';
