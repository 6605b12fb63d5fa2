import { z } from 'zod';
import { CLIENT_FRAMES } from './client-frames.ts';
import { SERVER_FRAMES } from './server-frames.ts';

type Json = Record<string, unknown>;

/** The AsyncAPI 3 document of the native wire, as a plain JSON value. `path` is where the WebSocket is. */
export function createAsyncApi({ version, path }: { readonly version: string; readonly path: string }): Json {
  const components = new Components();
  const fromClient = Object.values(CLIENT_FRAMES).map((schema) => components.add(schema));
  const fromGateway = Object.values(SERVER_FRAMES).map((schema) => components.add(schema));
  const messages = [...fromClient, ...fromGateway];
  const inChannel = (id: string): Json => ({ $ref: `#/channels/native/messages/${id}` });
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Spillway, native wire',
      version,
      description: 'Subprotocol `spillway.v1`: text frames of one JSON object each. Unknown types and unknown fields are ignored.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    channels: {
      native: { address: path, messages: Object.fromEntries(messages.map((id) => [id, { $ref: `#/components/messages/${id}` }])) },
    },
    operations: {
      fromClient: { action: 'receive', channel: { $ref: '#/channels/native' }, messages: fromClient.map(inChannel) },
      toClient: { action: 'send', channel: { $ref: '#/channels/native' }, messages: fromGateway.map(inChannel) },
    },
    components: { messages: components.messages, schemas: components.schemas },
  };
}

/** Schemas by their names, each once, with references among them. */
class Components {
  readonly messages: Json = {};
  readonly schemas: Json = {};

  /** Takes a frame's schema, with all that it refers to; returns its name. */
  add(schema: z.ZodType): string {
    const { id, description } = schema.meta() ?? {};
    if (id === undefined) throw new TypeError('Expected every frame schema to have a name.');
    // Draft 7 is what AsyncAPI's own schema dialect extends; `input` is what is on the wire, where unknown fields are allowed.
    const json: Json & { definitions?: Json } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
    const { $schema: _, definitions = {}, ...own } = json;
    // A schema that refers to others is given as a reference to its own definition.
    const parts: Json = '$ref' in own ? definitions : { ...definitions, [id]: own };
    for (const [name, part] of Object.entries(parts)) this.schemas[name] = relocate(part);
    const { properties } = parts[id] as { properties: { type: { const: string } } };
    this.messages[id] = {
      name: properties.type.const,
      ...(description === undefined ? {} : { summary: description }),
      payload: { $ref: `#/components/schemas/${id}` },
    };
    return id;
  }
}

/** Points references at the document's components, and drops the ids that zod leaves inside schemas. */
function relocate(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relocate);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, inner]) => !(key === 'id' && typeof inner === 'string') && !(key === '$id'));
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, key === '$ref' ? String(inner).replace('#/definitions/', '#/components/schemas/') : relocate(inner)]),
  );
}
