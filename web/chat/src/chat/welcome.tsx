/** An empty conversation. */

const EXAMPLES = ['What if I open too many tabs?', 'What is 17 % of 2340?', 'Which sessions do I have open?', 'Count to 80'];

/** `examples`: show questions that the built-in demo agent answers with its tools. */
export function Welcome({ name, examples, onAsk }: { name: string; examples: boolean; onAsk(text: string): void }) {
  return (
    <section className="welcome">
      <h2>Hello, {name}.</h2>
      <p className="muted">
        {examples
          ? 'A small demo agent answers here. It comes with Spillway, works without a network, and is not a language model. Reload in the middle of an answer, or cut the network: nothing is lost.'
          : 'What would you like to know?'}
      </p>
      {examples && (
        <ul>
          {EXAMPLES.map((text) => (
            <li key={text}>
              <button type="button" className="example" onClick={() => onAsk(text)}>
                {text}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
