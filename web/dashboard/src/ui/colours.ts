/** Colours of the style sheet for what is drawn on a canvas, in the theme of now. */

import { useEffect, useState } from 'react';

let known = new Map<string, string>();

/** The value of a custom property as a colour that a canvas understands. */
export function colourOf(property: string): string {
  const cached = known.get(property);
  if (cached !== undefined) return cached;
  const probe = document.createElement('span');
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  known.set(property, colour);
  return colour;
}

/** A number that rises whenever the theme changes: what is drawn has to be drawn anew. */
export function useThemeTurn(): number {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const changed = (): void => {
      known = new Map();
      setTurn((before) => before + 1);
    };
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', changed);
    return () => {
      observer.disconnect();
      system.removeEventListener('change', changed);
    };
  }, []);
  return turn;
}
