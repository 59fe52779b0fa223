/** The exceptions of the Web Cryptography API, by their names: https://w3c.github.io/webcrypto/#SubtleCrypto-Exceptions */
import { DOMException } from '../dom-exception.ts'

/** An algorithm, or this use of it, does not exist. */
export const notSupported = (message: string): DOMException => new DOMException(message, 'NotSupportedError')
/** A key that is not for this. */
export const invalidAccess = (message: string): DOMException => new DOMException(message, 'InvalidAccessError')
/** Bytes or a JSON Web Key that are no such key. */
export const badData = (message: string): DOMException => new DOMException(message, 'DataError')
/** It does not work with these parameters, or this data. */
export const failed = (message: string): DOMException => new DOMException(message, 'OperationError')
/** Usages that a key of this kind cannot have. */
export const badUsages = (message: string): DOMException => new DOMException(message, 'SyntaxError')
