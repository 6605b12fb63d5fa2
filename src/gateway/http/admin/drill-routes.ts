import type { DrillBoard } from '../../../ports/drills.ts';
import type { DrillName } from '../../../protocol/drills.ts';
import { SpillwayError } from '../../../protocol/errors.ts';
import { DrillPath, StartDrill, StopDrill } from '../../../schemas/admin-bodies.ts';
import { DrillRun, DrillRuns, DrillStopped, Drills } from '../../../schemas/admin-operation.ts';
import { IdPath } from '../../../schemas/bodies.ts';
import type { HttpContext } from '../http-env.ts';
import { problem } from '../problems.ts';
import type { AdminRoutes } from './admin-routes.ts';

const TAG = 'Drills';

/** Real trouble on a button. `board` null: there are no drills here, and every path says so. */
export function drillRoutes(routes: AdminRoutes, board: DrillBoard | null): void {
  routes.look(
    {
      method: 'get',
      path: '/drills',
      tag: TAG,
      summary: 'The catalogue, and the last runs',
      answer: { status: 200, description: 'The drills', schema: Drills },
      problems: ['not-found'],
    },
    (c) => (board === null ? off(c) : c.json({ drills: board.catalogue, runs: board.runs })),
  );

  routes.change(
    {
      method: 'post',
      path: '/drills/{name}/start',
      tag: TAG,
      summary: 'Starts a drill, unless another one runs',
      params: DrillPath,
      body: StartDrill,
      isBodyOptional: true,
      answer: { status: 201, description: 'The run', schema: DrillRun },
      problems: ['not-found', 'protected'],
    },
    { action: 'start-drill', target: ({ params }) => params.name },
    async (c, { params, body: { count, user } }, { done }) => {
      if (board === null) return off(c);
      const drill = board.catalogue.find(({ name }) => name === params.name);
      if (drill === undefined) return unknown(c, params.name, board);
      if (count !== undefined && count > drill.count.most)
        return problem(c, { code: 'bad-request', detail: `Expected \`count\` of ${drill.name} to be at most ${drill.count.most}, got ${count}.` });
      try {
        const run = await board.start({ name: drill.name, ...(count === undefined ? {} : { count }), ...(user === undefined ? {} : { user }) });
        done(`${run.id} with ${run.count} clients of ${run.user}`);
        return c.json(run, 201);
      } catch (error) {
        if (!SpillwayError.is(error)) throw error;
        if (error.code === 'SPILLWAY_BUSY' || error.code === 'SPILLWAY_REFUSED') return problem(c, { code: 'protected', detail: error.message });
        if (error.code === 'SPILLWAY_BAD_ARGUMENT') return problem(c, { code: 'bad-request', detail: error.message });
        throw error;
      }
    },
  );

  routes.look(
    {
      method: 'get',
      path: '/drills/runs',
      tag: TAG,
      summary: 'The last 50 runs of this process, newest first',
      answer: { status: 200, description: 'The runs', schema: DrillRuns },
      problems: ['not-found'],
    },
    (c) => (board === null ? off(c) : c.json({ runs: board.runs })),
  );

  routes.look(
    {
      method: 'get',
      path: '/drills/runs/{id}',
      tag: TAG,
      summary: 'One run: what happened when, and what was expected and seen',
      params: IdPath,
      answer: { status: 200, description: 'The run', schema: DrillRun },
      problems: ['not-found'],
    },
    (c, { params }) => {
      if (board === null) return off(c);
      const run = board.run(params.id);
      return run === null ? noRun(c, params.id) : c.json(run);
    },
  );

  routes.change(
    {
      method: 'post',
      path: '/drills/runs/{id}/stop',
      tag: TAG,
      summary: 'Ends the processes of a run',
      params: IdPath,
      body: StopDrill,
      isBodyOptional: true,
      answer: { status: 200, description: 'It is over', schema: DrillStopped },
      problems: ['not-found'],
    },
    { action: 'stop-drill', target: ({ params }) => params.id },
    async (c, { params }, { done }) => {
      if (board === null) return off(c);
      if (board.run(params.id) === null) return noRun(c, params.id);
      const stopped = await board.stop(params.id);
      const run = board.run(params.id);
      if (run === null) return noRun(c, params.id);
      done(stopped ? 'its processes were ended' : `it was over already: ${run.state}`);
      return c.json({ stopped, run });
    },
  );
}

const off = (c: HttpContext): Response =>
  problem(c, { code: 'not-found', detail: 'There are no drills here: they are on in `spillway dev`, and with the option `drills` in `spillway serve`.' });

const unknown = (c: HttpContext, name: string, { catalogue }: DrillBoard): Response =>
  problem(c, {
    code: 'not-found',
    detail: `Expected the name of a drill, one of ${catalogue.map((drill): DrillName => drill.name).join(', ')}; got \`${name}\`.`,
  });

const noRun = (c: HttpContext, id: string): Response =>
  problem(c, { code: 'not-found', detail: `No drill run \`${id}\` is known; the last 50 of this process are.` });
