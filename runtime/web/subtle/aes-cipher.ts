/** What of the package aes.ts loads: of a module that is loaded later all is kept that it exports. */
export { aeskw, cbc, ctr, gcm } from '@noble/ciphers/aes.js'
