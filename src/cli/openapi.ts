import { SpillwayError } from '../protocol/errors.ts';

/** One operation of an OpenAPI document. */
export interface Operation {
  /** The document's own id, else method and path: `post-users-id-free`. */
  readonly name: string;
  readonly method: string;
  /** From the root of the port, with parameters as `{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly parameters: readonly { readonly name: string; readonly in: 'path' | 'query' | 'body'; readonly required: boolean }[];
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly allOf?: readonly Schema[];
}
interface Described {
  readonly operationId?: string;
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> };
}
interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

const METHODS: readonly string[] = ['get', 'put', 'post', 'delete', 'patch'];

/** The operations of a document, by name. */
export function operationsOf(document: unknown): readonly Operation[] {
  const { paths = {} } = document as Document;
  return Object.entries(paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([method]) => METHODS.includes(method))
        .map(([method, described]) => operation(document as Document, path, method, described)),
    )
    .sort((a, b) => (a.path === b.path ? (a.method < b.method ? -1 : 1) : a.path < b.path ? -1 : 1));
}

function operation(document: Document, path: string, method: string, described: Described): Operation {
  const body = bodySchema(document, described);
  const parameters = (described.parameters ?? [])
    .filter((one) => (one.in === 'path' || one.in === 'query') && one.name !== 'pretty')
    .map((one) => ({ name: one.name, in: one.in as 'path' | 'query', required: one.required === true }));
  const ofBody = Object.keys(body?.properties ?? {}).map((name) => ({ name, in: 'body' as const, required: body?.required?.includes(name) === true }));
  return {
    name: described.operationId ?? nameOf(method, path),
    method: method.toUpperCase(),
    path,
    summary: described.summary ?? '',
    parameters: [...parameters, ...ofBody],
  };
}

const nameOf = (method: string, path: string): string =>
  [
    method,
    ...path
      .replace(/^.*\/admin\/api\/v1\//, '/')
      .replace(/[{}]/g, '')
      .split('/')
      .filter((part) => part !== ''),
  ].join('-');

function bodySchema(document: Document, { requestBody }: Described): Schema | null {
  const schema = requestBody?.content?.['application/json']?.schema;
  return schema === undefined ? null : followed(document, schema);
}

const followed = (document: Document, schema: Schema): Schema =>
  schema.$ref === undefined ? schema : (document.components?.schemas?.[schema.$ref.replace('#/components/schemas/', '')] ?? {});

/** Puts parameters into the path and the query; what belongs there not is left for the body.
 *  @throws SpillwayError for one that is missing or that the operation does not take */
export function placed(
  { name, path, parameters }: Operation,
  params: ReadonlyMap<string, string>,
): { readonly path: string; readonly query: Record<string, string>; readonly rest: ReadonlyMap<string, string> } {
  const query: Record<string, string> = {};
  const rest = new Map<string, string>();
  let full = path;
  for (const [key, value] of params) {
    const known = parameters.find((one) => one.name === key);
    if (known === undefined) {
      const takes = parameters.length === 0 ? 'it takes none' : `it takes ${parameters.map((one) => one.name).join(', ')}`;
      throw new SpillwayError('SPILLWAY_BAD_OPTION', `\`${name}\` has no parameter \`${key}\`; ${takes}`);
    }
    if (known.in === 'path') full = full.replace(`{${key}}`, encodeURIComponent(value));
    else if (known.in === 'query') query[key] = value;
    else rest.set(key, value);
  }
  const missing = parameters.filter((one) => one.in === 'path' && !params.has(one.name));
  if (missing.length > 0) throw new SpillwayError('SPILLWAY_BAD_OPTION', `\`${name}\` needs ${missing.map((one) => `--param ${one.name}=VALUE`).join(' ')}`);
  return { path: full, query, rest };
}

/** The body made of parameters: what is no text in its schema is read as JSON. Undefined for an operation without a body. */
export function bodyOf(document: unknown, { method, path }: Operation, values: ReadonlyMap<string, string>): unknown {
  const described = (document as Document).paths?.[path]?.[method.toLowerCase()];
  const schema = described === undefined ? null : bodySchema(document as Document, described);
  if (schema === null) return undefined;
  return Object.fromEntries(
    [...values].map(([name, text]) => {
      const property = followed(document as Document, schema.properties?.[name] ?? {});
      return [name, property.type === 'string' || property.enum !== undefined ? text : asJson(text)];
    }),
  );
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // The gateway says what it expected.
  }
}
