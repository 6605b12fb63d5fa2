/** How ids stand in the paths of the admin API. In every URL `.` and `..` mean folders, whatever is done to escape them; so an id may have
 *  a `~` before it, and these two must. One that begins with `~` itself has two. */

const MARK = '~';

/** An id as one segment of a path. */
export const segmentOf = (id: string): string => encodeURIComponent(id === '.' || id === '..' || id.startsWith(MARK) ? MARK + id : id);

/** The id that a segment, percent-decoded already, stands for; null for one that could be read in two ways. */
export function idIn(segment: string): string | null {
  if (!segment.startsWith(MARK)) return segment;
  const id = segment.slice(MARK.length);
  return id === '.' || id === '..' || id.startsWith(MARK) ? id : null;
}
