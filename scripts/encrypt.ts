import { encrypt } from '../tools/codeship/encryption.ts'
import { convertFile } from './convert-file.ts'

// As `jet encrypt`, in the first version of Codeship's format, which Codeship and `jet` read.
convertFile('encrypt', (bytes, key) => encrypt(bytes, key))
