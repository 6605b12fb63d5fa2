import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServerOptions } from '../core/options.ts';

/** Folder of the built chat page. */
export const CHAT_PAGES: string = fileURLToPath(new URL('../web/chat', import.meta.url));
/** Folder of the operators' dashboard. */
export const DASHBOARD_PAGES: string = fileURLToPath(new URL('../web/dashboard', import.meta.url));

/** Whether there is a chat page to serve: it is switched on and was built. */
export const hasChatPage = (options: ServerOptions): boolean => options.pages.chat && existsSync(CHAT_PAGES);

/** The same of the dashboard. */
export const hasDashboard = (options: ServerOptions): boolean => options.pages.dashboard && existsSync(DASHBOARD_PAGES);
