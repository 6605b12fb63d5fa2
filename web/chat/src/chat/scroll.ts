/** The conversation follows its newest line as long as the reader does. */

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

const NEAR_PX = 80;

/** Keeps `box` at its end while `content` grows, unless the person scrolled up. Content without an end, such as a greeting, `isOff`. */
export function useFollowEnd(box: RefObject<HTMLElement | null>, content: unknown, isOff: boolean): { isAtEnd: boolean; toEnd(): void } {
  const [isAtEnd, setAtEnd] = useState(true);
  const follows = useRef(true);
  const off = useRef(isOff);
  off.current = isOff;

  const toEnd = useCallback(() => {
    follows.current = true;
    setAtEnd(true);
    const area = box.current;
    if (area !== null) area.scrollTop = area.scrollHeight;
  }, [box]);

  useEffect(() => {
    const area = box.current;
    if (area === null) return;
    const scrolled = (): void => {
      follows.current = area.scrollHeight - area.scrollTop - area.clientHeight < NEAR_PX;
      setAtEnd(follows.current);
    };
    // The notices and the keyboard of a phone change the height without scrolling.
    const resized = new ResizeObserver(() => {
      if (follows.current && !off.current) area.scrollTop = area.scrollHeight;
    });
    area.addEventListener('scroll', scrolled, { passive: true });
    resized.observe(area);
    return () => {
      area.removeEventListener('scroll', scrolled);
      resized.disconnect();
    };
  }, [box]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: new content is what moves the end
  useLayoutEffect(() => {
    const area = box.current;
    if (area !== null && follows.current && !off.current) area.scrollTop = area.scrollHeight;
  }, [content, box]);

  return { isAtEnd, toEnd };
}
