/** UTF-8 bytes of `text`, as they travel. Every runtime of the client has an encoder, which is smaller than a count of our own. */
export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;
