import { useGateway } from '../live/gateway.ts';
import { useAnswer } from '../live/use-answer.ts';
import { useTopic } from '../live/use-topic.ts';
import { CliLine } from '../ui/buttons.tsx';
import { href } from '../ui/route.ts';
import { Place } from '../ui/states.tsx';
import { DrillView } from './drill-view.tsx';

/** One drill: live while it runs, its report afterwards. */
export function DrillPage({ id }: { id: string }) {
  const { client } = useGateway();
  const live = useTopic<'drills'>({ of: 'drills' });
  const asked = useAnswer(id, () => client.drill(id));
  const known = live.data === null ? undefined : [...(live.data.running === null ? [] : [live.data.running]), ...live.data.runs].find((run) => run.id === id);
  return (
    <>
      <p className="path">
        <a href={href('drills')}>Drills</a> <span aria-hidden="true">›</span> {id}
      </p>
      <h1 className="hidden-text">Drill {id}</h1>
      {known === undefined ? (
        <Place what={`drill ${id}`} seen={asked}>
          {(run) => <DrillView run={run} />}
        </Place>
      ) : (
        <DrillView run={known} />
      )}
      <CliLine command={`spillway drill report ${id}`} />
    </>
  );
}
