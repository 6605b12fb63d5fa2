export { VERSION } from '../ports/version.ts';
