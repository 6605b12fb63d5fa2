import type { ToolSet } from 'ai';
import { z } from 'zod';
import type { AgentRun } from '../ports/agent.ts';
import type { Clock } from '../ports/clock.ts';
import { calculate } from './tools/calculator.ts';
import type { HandbookSearch } from './tools/search.ts';
import { describeSessions } from './tools/sessions.ts';
import { findZone, readClock } from './tools/world-clock.ts';

/** The demo agent's tools as a model calls them. What a tool throws reaches the model as the call's error. */
export function modelTools(run: AgentRun, clock: Clock, handbook: HandbookSearch): ToolSet {
  return {
    search: {
      description: 'Search the handbook of Spillway, the software that carries this chat. Returns passages to cite by title and heading.',
      inputSchema: z.object({ query: z.string().describe('Words to look for') }),
      execute: ({ query }: { query: string }) => handbook.search(query, 4).map(({ title, heading, text }) => ({ title, heading, text })),
    },
    calculator: {
      description: 'Calculate an arithmetic expression exactly: + - * / % ^ !, parentheses, sqrt, sin, ln and the like, PI, E. Angles are radians.',
      inputSchema: z.object({ expression: z.string() }),
      execute: ({ expression }: { expression: string }) => calculate(expression),
    },
    clock: {
      description: 'The present time and date in a city, country or IANA time zone.',
      inputSchema: z.object({ place: z.string().default('UTC') }),
      execute: ({ place }: { place: string }) => {
        const zone = findZone(place);
        if (zone === null) throw new Error(`No time zone is known for “${place}”. Name a large city or an IANA zone.`);
        return readClock(clock.wall(), zone);
      },
    },
    sessions: {
      description: 'The sessions (tabs, devices) in which the person has this chat open now.',
      inputSchema: z.object({}),
      execute: async () => describeSessions(await run.sessions(), clock.wall()),
    },
  };
}
