/** SQLite keeps text as UTF-8, in which all broken surrogates are one character, so that two user ids could meet. Such a name, and
 *  one that looks like our spelling of it, is kept in an unambiguous spelling. */
export const spellName = (name: string): string => (/[\ud800-\udfff]/u.test(name) || name.startsWith('\0') ? `\0${JSON.stringify(name)}` : name);

/** Reads what `spellName` wrote. */
export const readName = (kept: string): string => (kept.startsWith('\0') ? (JSON.parse(kept.slice(1)) as string) : kept);
