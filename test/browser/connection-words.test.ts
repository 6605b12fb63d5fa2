import { describe, expect, it } from 'vitest';
import type { ClientState, DisconnectInfo, Notice } from '../../src/client/index.ts';
import { burstNotice, cleanedUpNotice, drainingNotice } from '../../src/protocol/texts.ts';
import { connectionSentence, connectionWord, noticeSentences, type Situation, splitSpan } from '../../web/chat/src/notices/connection-words.ts';
import { closedBecause, sessionNames, sessionState } from '../../web/chat/src/sessions/session-words.ts';

const AT = Date.UTC(2026, 10, 21, 14, 2);
const say = (state: ClientState, more: Partial<Situation> = {}) =>
  connectionSentence({
    state,
    stateSince: AT,
    nameSince: AT - 1_000,
    showReconnecting: false,
    needsSignIn: false,
    isReloading: false,
    isOffline: false,
    isAnswering: true,
    ...more,
  });
const info = (code: number, name: string, back: DisconnectInfo['return'], text: string): DisconnectInfo => ({ code, name, return: back, text, docs: '' });
const live: ClientState = { name: 'live', manager: 'mgr_1', resume: 'fresh', seat: 'soft' };
const notice = (body: Omit<Notice, 'id' | 'version'>): Notice => ({ id: 'n1', version: 1, ...body });

describe('what a person reads about the connection', () => {
  it('says nothing while all is well', () => {
    expect(say(live)).toBeNull();
    expect(connectionWord(live, false)).toEqual({ word: 'connected', tone: 'good' });
  });

  it('shows only the dot for the first three seconds of a loss', () => {
    const lost: ClientState = { name: 'reconnecting', attempt: 1, retryInMs: 200, since: AT };
    expect(say(lost)).toBeNull();
    expect(connectionWord(lost, false).tone).toBe('waiting');
    expect(say(lost, { showReconnecting: true, isOffline: true })?.text).toBe('Reconnecting… your answer continues.');
    const moved: ClientState = { ...lost, info: info(4000, 'reconnect', 'now', '') };
    expect(say(moved, { showReconnecting: true })?.text).toBe('Reconnecting… your answer continues.');
    // A server that vanished may have taken the answer along.
    const vanished: ClientState = { ...lost, info: info(1006, 'lost', 'now', '') };
    expect(say(vanished, { showReconnecting: true })?.text).toBe('Reconnecting… what you see is kept.');
    // Nor is an answer promised where none is under way.
    expect(say(moved, { showReconnecting: true, isAnswering: false })?.text).toBe('Reconnecting… what you see is kept.');
  });

  it('says since when it is offline and offers to try now', () => {
    const sentence = say({ name: 'offline', attempt: 7, retryInMs: 9_000, since: AT });
    expect(sentence?.text).toMatch(/^Offline since .*\d\d.*\. We go on trying\.$/);
    expect(sentence?.actions).toEqual(['try-now']);
  });

  it('counts down in the queue', () => {
    const sentence = say({ name: 'queued', position: 2, of: 3, etaMs: 2_600, deadlineMs: 9_000 });
    expect(sentence).toMatchObject({
      text: 'Finding room for you: number 2, about 3 s. Your message is kept and goes out by itself.',
      until: AT + 2_600,
      progress: { from: AT - 1_000, to: AT + 9_000 },
      actions: ['close-another'],
    });
    expect(splitSpan(sentence?.text ?? '')).toEqual({
      before: 'Finding room for you: number 2, about ',
      span: '3 s',
      after: '. Your message is kept and goes out by itself.',
    });
  });

  it('counts down to the named time after 41xx', () => {
    const text = 'Another of your tabs is using the room; back in 12 s.';
    const sentence = say({ name: 'reconnecting', attempt: 1, retryInMs: 12_000, since: AT, info: info(4101, 'no-seat-yet', 'after', text) });
    expect(sentence).toMatchObject({ text, until: AT + 12_000, actions: ['try-now'] });
  });

  it('offers to resume here after 42xx', () => {
    const text = 'Paused because you went on in Phone. Nothing is lost.';
    expect(say({ name: 'superseded', info: info(4201, 'evicted-for-newer', 'user', text) })).toMatchObject({ text, actions: ['resume-here'] });
  });

  it('asks to sign in again, and says that the draft is safe', () => {
    expect(say(live, { needsSignIn: true })?.text).toBe('Please sign in again; your draft is saved.');
    expect(say({ name: 'failed', info: info(4501, 'unauthorized', 'never', 'Please sign in again.') })?.actions).toEqual(['sign-in']);
  });

  it('offers to reload a page that is out of date', () => {
    expect(say({ name: 'failed', info: info(4503, 'unsupported-version', 'never', '') })).toMatchObject({
      text: 'This page is out of date.',
      actions: ['reload'],
    });
  });

  it('says that the conversation is being loaded anew', () => {
    expect(say(live, { isReloading: true })?.text).toBe('Reloading the conversation.');
  });

  it('says nothing of a server that drains: the dot says "moving"', () => {
    const draining = notice(drainingNotice({ slotMs: 4_000, reason: 'deploy' }));
    expect(noticeSentences([draining], live)).toEqual([]);
    expect(connectionWord(live, true).word).toBe('moving');
  });

  it('counts the extra room down', () => {
    const burst = notice(burstNotice({ used: 22, limit: 20, burst: 25, untilAt: AT + 41_000, leftMs: 41_000 }));
    const [sentence] = noticeSentences([burst], live);
    expect(sentence).toMatchObject({
      text: 'You have more tabs open than usual (22 of 20). All of them work; the extra room stays for another 41 s.',
      until: AT + 41_000,
      actions: ['choose'],
    });
    expect(splitSpan(sentence?.text ?? '')?.span).toBe('41 s');
  });

  it('gives the details of a cleanup', () => {
    const cleaned = notice(cleanedUpNotice({ freed: 16, level: 'moderate', durationMs: 31, reasons: { 'ack-timeout': 15, 'probe-timeout': 1 } }));
    expect(noticeSentences([cleaned], live)[0]).toMatchObject({
      text: 'We closed 16 of your sessions that had stopped responding.',
      actions: ['details'],
      canDismiss: true,
    });
    expect(closedBecause(cleaned)).toEqual(['16 had stopped responding']);
  });

  it('shows a notice of a kind it has never heard of', () => {
    const unknown = { ...notice(drainingNotice({ slotMs: 1, reason: '' })), kind: 'weather', text: 'It rains.' } as unknown as Notice;
    expect(noticeSentences([unknown], live)[0]?.text).toBe('It rains.');
  });

  it('says what each session does', () => {
    const session = { verdict: 'healthy', running: false, connected: true, lastEvidenceAt: AT - 12_000 } as Parameters<typeof sessionState>[0];
    expect(sessionState(session, AT)).toBe('seen 12 s ago');
    expect(sessionState({ ...session, running: true }, AT)).toBe('answering');
    expect(sessionState({ ...session, verdict: 'zombie', lastEvidenceAt: AT - 38 * 60_000 }, AT)).toBe('not responding for 38 min');
    expect(sessionState({ ...session, connected: false }, AT)).toBe('connection lost, seen 12 s ago');
    expect(sessionState({ ...session, verdict: 'suspect' }, AT)).toBe('slow to respond, seen 12 s ago');
  });

  it('gives no two sessions one name', () => {
    const tab = (id: string, openedAt: number, label: string | null) =>
      ({ id, openedAt, label, client: 'a-bot 1.0' }) as Parameters<typeof sessionNames>[0][number];
    const names = sessionNames([tab('b', 2, 'Chrome on Linux, opened 14:02'), tab('a', 1, 'Chrome on Linux, opened 14:02'), tab('c', 3, null)]);
    expect([...names]).toEqual([
      ['a', 'Chrome on Linux, opened 14:02'],
      ['b', 'Chrome on Linux, opened 14:02 (2)'],
      ['c', 'a-bot 1.0'],
    ]);
  });
});
