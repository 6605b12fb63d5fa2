import type { ReactNode } from 'react';
import { MoonIcon, SunIcon, SystemIcon } from './icons.tsx';
import { cycleTheme, type Theme, useTheme } from './theme.ts';

const ICONS: Readonly<Record<Theme, () => ReactNode>> = { system: SystemIcon, light: SunIcon, dark: MoonIcon };

/** Goes through system, light and dark. */
export function ThemeButton() {
  const { theme, next } = useTheme();
  const Sign = ICONS[theme];
  return (
    <button type="button" className="icon-button" onClick={cycleTheme} aria-label={`Theme: ${theme}. Change to ${next}`} title={`Theme: ${theme}`}>
      <Sign />
    </button>
  );
}
