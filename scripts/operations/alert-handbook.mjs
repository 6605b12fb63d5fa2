// What docs/operations/alerts.md says about each alert beside what its table knows. One entry an alert, under its name.
// `means`: what has happened; `people`: what they notice; `doing`: steps, each with the command that helps; `clears`: when it ends.

export const HANDBOOK = {
  Lockout: {
    means:
      'An admission of a person ended without a seat, waited longer in a queue than its deadline and half a second, or came back at the time it was promised and found no place. None of this may happen; each one is a fault of Spillway.',
    people: 'Somebody cannot get in, and reads a time at which to try again.',
    doing: [
      ['See who it was, and which levels were tried.', 'spillway events tail --type lockout', 'events?type=lockout'],
      ['See how the cleanups of that user went, and why each session stayed.', 'spillway cleanup history --user USER', 'cleanup/history?user=USER'],
      ['Free what does not respond. It works outside limits and queues.', 'spillway users free USER --unresponsive', null],
      ['Keep the cleanup record and the log of the last 10 minutes, and report the fault.', 'spillway cleanup show RUN --json', 'cleanup/history/RUN'],
    ],
    clears: '5 minutes after the last one.',
  },
  ForceShort: {
    means:
      'Force ran for a person and freed no seat. In a full set some seat can always be taken, so a short Force means that a seat is held by nobody that this gateway knows, or that pins hold all of them.',
    people: 'Somebody cannot get in although they may have had to.',
    doing: [
      ['Compare managers, seats and sockets.', 'spillway doctor', 'consistency'],
      ['See the record: who was looked at, and why each one stayed.', 'spillway cleanup history --since 1h', 'cleanup/history'],
      ['Look at the user: how many are pinned?', 'spillway users show USER', 'users/USER'],
    ],
    clears: '5 minutes after the last one.',
  },
  CleanupFreedNothing: {
    means:
      'For 10 minutes users have been at their limit and cleanups ended short or failed, while not one admission was given a seat by cleanup, burst, queue or Force. This is the incident that Spillway exists to prevent: a cleanup that runs and frees nothing. If only tabs that reconnect by themselves ask, it can also mean that a user keeps more of them open than fit, all alive.',
    people: 'Whoever is at the limit cannot open a session, and closing tabs does not help them.',
    doing: [
      ['Read why each session stayed.', 'spillway cleanup history --since 10m', 'cleanup/history'],
      ['Ask what each level would do now, without doing it.', 'spillway cleanup plan USER', null],
      ['Free what does not respond, with a reason.', 'spillway users free USER --unresponsive', null],
      ['If the plan names nobody although sockets are dead, compare the accounts.', 'spillway doctor', 'consistency'],
      ['If everybody is alive, raise `limits.perUser`, or tell the owner of the tabs.', 'spillway config explain limits.perUser', null],
    ],
    clears: 'With the first seat that cleanup, burst, queue or Force gives, or 10 minutes after the last cleanup that was short.',
  },
  CleanupFailed: {
    means:
      'Something threw inside a cleanup level, most often a request to the store. The level counts as failed, the next one runs all the same; three failures for one user skip the level for a minute.',
    people: 'Nothing, as long as another level finds a seat. Admissions may take longer.',
    doing: [
      ['Read the error: it stands in the log record of the pass.', 'spillway events tail --type cleanup-finished', 'events?type=cleanup-finished'],
      ['See whether the store answers.', 'spillway check store', null],
      ['See which user it concerns and how their seats stand.', 'spillway cleanup history --since 10m', 'cleanup/history'],
    ],
    clears: '5 minutes after the last failure.',
  },
  AdmissionBurn: {
    means:
      'Of all admissions of persons so many ended in a lockout that the error budget of the month (1 in 10,000) would be gone in about two days, or five. The fast part looks at 1 h and 5 min, the slow one at 6 h and 30 min; both must be above, so that it neither cries at one event long past nor sleeps through a slow leak.',
    people: 'Some cannot get in.',
    doing: [
      ['Find out since when, and for whom.', 'spillway events tail --type lockout', 'events?type=lockout'],
      ['See how the node stands: full, cut off from its store? Whether it stalls, `spillway nodes list` tells.', 'spillway status', 'status'],
      ['Work through Lockout above for one of the users.', 'spillway users show USER', 'users/USER'],
    ],
    clears: 'When the share of the short window is below the threshold again.',
  },
  CleanupSlow: {
    means:
      'One cleanup pass in a hundred takes longer than the 500 ms that an admission may wait for it. The decision is cut off at 400 ms whatever happens; what is slow is the store, or this process does not get its turn.',
    people: 'A log-in at the limit takes up to a second.',
    doing: [
      ['Compare with the event loop and the store.', 'spillway nodes list', 'nodes'],
      ['See which level takes the time.', 'spillway cleanup history --since 15m', 'cleanup/history'],
      ['Measure the store.', 'spillway check store', null],
    ],
    clears: 'When 99 of 100 passes of 5 minutes are below 500 ms.',
  },
  ZombieRatio: {
    means:
      'More than a fifth of the managers that hold a seat have been found dead and still hold it for 10 minutes. The background pass frees them within seconds by default, so either it does not get to them, or `cleanup.proactive` is off.',
    people: 'Nothing yet: log-ins find the seats. "Your sessions" shows many that do not respond.',
    doing: [
      ['Is the background pass alive, and what does it free?', 'spillway check cleanup', 'status'],
      ['Who are they?', 'spillway managers list --verdict zombie', 'managers?verdict=zombie'],
      ['Why is one of them a zombie, and why does it stay?', 'spillway managers explain ID', 'managers/ID/explain'],
      ['Is proactive cleanup on?', 'spillway config explain cleanup.proactive', null],
    ],
    clears: 'When their share is at most 20 %.',
  },
  Quarantine: {
    means:
      'Sockets that were terminated have not closed for a minute. Their seats are free; the sockets are destroyed again every second. They hold a file descriptor and memory each.',
    people: 'Nothing.',
    doing: [
      ['How many, and whose?', 'spillway events tail --type transport-quarantined', 'events?type=transport-quarantined'],
      ['Compare sockets with managers.', 'spillway doctor', 'consistency'],
      ['If the number grows, move the clients away and restart this gateway.', 'spillway nodes drain NODE', null],
    ],
    clears: 'When the last one has closed.',
  },
  Mismatch: {
    means:
      'Two accounts of the same thing disagreed in two looks: the registry of managers, the index of users, the seats of the store, the sockets. A seat that nobody holds is given back by its lease; a difference that comes again is a fault.',
    people: 'Nothing at first; with time seats are missing.',
    doing: [
      ['Compare now. Kinds and users are named.', 'spillway doctor', 'consistency'],
      ['Read when it was found.', 'spillway events tail --type mismatch-found', 'events?type=mismatch-found'],
      ['If it stays, move the clients away and restart this gateway: seats are rebuilt from living clients.', 'spillway nodes drain NODE', null],
    ],
    clears: '10 minutes after the last one was found.',
  },
  BurstIsLimit: {
    means:
      'For half an hour more than a fifth of the users at their limit have worked on burst leases. Bursts are for moments; people use more sessions than `limits.perUser` allows.',
    people: 'They read that they have more tabs open than usual, again and again.',
    doing: [
      ['How many seats do users hold?', 'spillway users list', 'users'],
      ['What would be the next limit?', 'spillway config explain limits.perUser', null],
    ],
    clears: 'When the share is at most 20 %.',
  },
  PingPong: {
    means:
      'Cleanups give up healthy managers, more than one a minute for each user at the limit. Clients that were evicted come back and displace others. Automatic returns may not do that; a client that claims a person for each of its redials does.',
    people: 'Sessions close in turns: "replaced by a newer session".',
    doing: [
      ['Who is evicted, for whom, at which level?', 'spillway cleanup history --since 10m', 'cleanup/history'],
      ['Which client is it? Look for an `intent` of `user` without a person.', 'spillway events tail --type admission-ended', 'events?type=admission-ended'],
      ['Repair the client: only what a person did within 10 s is `user`.', null, null],
    ],
    clears: 'When the rate of 10 minutes is below.',
  },
  ProbesVoided: {
    means:
      'More than a tenth of the questions to clients were set aside, because this gateway stalled while it waited for the answers or because many clients of one network fell silent together, or its own health is bad. Nobody is accused in such a time; the dead are found later.',
    people: 'Perhaps slow answers: a gateway that stalls is slow for everybody.',
    doing: [
      ['Does this process get its turn? Look at the loop and the CPU.', 'spillway nodes list', 'nodes'],
      ['How long were the stalls? Look at the node board (`attention_gap_seconds`), or for `attention-lost` in the log.', null, null],
      ['If it is `correlated_voided`: ask whether a network, proxy or region is down.', null, null],
      ['Give this gateway more CPU, or fewer clients.', 'spillway config explain limits.perNode', null],
    ],
    clears: 'When the share of 10 minutes is at most 10 % and the health score below 4.',
  },
  FailOpen: {
    means:
      'The store has not answered for a minute. Whoever is seated stays, and comes back to that seat. A gateway with a store of its own tells newcomers to try again by themselves; one that shares it seats them by its own limits, so that together they may hold more than the limit of all. Answers wait in memory, late and never lost; readiness is 503, so that a balancer prefers gateways that have a store.',
    people: 'Answers stop in the middle and go on later; old conversations cannot be opened.',
    doing: [
      ['Ask the store. The answer names address, error and likely cause.', 'spillway check store', null],
      ['Is the disk full, the file locked, the machine gone?', 'spillway doctor', null],
      ['Is it one gateway or all? A store that several share: work through [Store failover](store-failover.md).', 'spillway nodes list', 'nodes'],
      ['Do not restart the gateway: its memory holds what the store has not taken.', null, null],
    ],
    clears: 'With the first answer of the store.',
  },
  NodeDead: {
    means:
      'The key of another gateway in the shared store has ended, and it had not moved its clients away before: it was killed, its machine is gone, it is cut off from the store, or it stood still for more than 5 s. Its seats count no more within 6.5 s; its clients come back by themselves on the others and miss nothing; answers that it was giving end visibly (`producer_lost`) within 15 s, and messages that waited there are answered elsewhere. Told by every gateway that saw it.',
    people: 'One reconnect. Who was being answered reads that the answer broke off, and asks again.',
    doing: [
      ['See who is there, and since when.', 'spillway nodes list', 'nodes'],
      ['Which one was it?', 'spillway events tail --type node-died --since 10m', 'events?type=node-died'],
      ['Look at its process and machine: killed for memory, stalled, cut off? Start it again, under the same name if you like.', null, null],
      ['Have the others room for everybody?', 'spillway status', 'status'],
    ],
    clears: '5 minutes after the last one.',
  },
  StoreSlow: {
    means:
      'Of the questions about seats, one in a hundred takes more than 75 ms. A question that takes more than 150 ms counts as unanswered: the gateway then serves by its own limits, as while the store is away.',
    people: 'Getting a seat takes longer than it should.',
    doing: [
      ['Ask for version, settings, latency and clock of the store from this machine.', 'spillway doctor', null],
      [
        'Redis: `SLOWLOG GET`, `LATENCY DOCTOR`, `INFO commandstats`. A fork for a snapshot, a slow disk with `appendfsync always`, swapping, a busy neighbour?',
        null,
        null,
      ],
      ['Which questions? The metric `store_request_seconds` has them by `op`.', null, null],
    ],
    clears: 'When 99 of 100 answers come within 75 ms for 5 min.',
  },
  SeatsForgotten: {
    means:
      'Gateways renew the seats of their sessions every 10 s; the store did not know more than a tenth of them and was told again. Nobody was cut. Either a failover lost the last writes, or the store was emptied, or its clock jumped ahead so that leases ended early; or this gateway stood still for longer than a lease (30 s).',
    people: 'Nothing, but that for a moment somebody could have more sessions than their limit.',
    doing: [
      ['Did the store fail over, restart or lose its data? Work through [Store failover](store-failover.md).', 'spillway doctor', null],
      ['Did this gateway stall?', 'spillway events tail --type store-lost --since 1h', 'events?type=store-lost'],
    ],
    clears: '10 minutes after the last such renewal.',
  },
  StoreClock: {
    means: 'Leases, bursts, queues and retention run by the clock of the store, tokens of people by the clocks of the gateways. They are more than 5 s apart.',
    people: 'Nothing yet. Tokens may be refused too early, or taken too long.',
    doing: [
      ['Which one is wrong? Compare both with this machine.', 'spillway doctor', null],
      ['Set all of them by NTP. A step of the store’s clock ends leases early or late; seats are put back by themselves.', null, null],
    ],
    clears: 'When they agree to 5 s.',
  },
  SweeperDead: {
    means:
      'The background pass, which every 5 s finds the dead and frees their seats, has not come to its end for 30 s; or Prometheus sees no gateway at all. Admissions clean up by themselves, so nobody is locked out by it; but the dead stay until somebody needs their seats.',
    people: 'Nothing at first. If the gateway is gone, everybody is offline.',
    doing: [
      ['Is it there, and does its loop turn?', 'curl -fsS http://127.0.0.1:8788/livez', null],
      ['When did the pass last run?', 'spillway check cleanup', 'status'],
      ['Look for errors of it in the log: `watch-failed`, `cleanup-failed`, `store-failing`.', null, null],
      ['If the process lives and the pass does not: move the clients away and restart.', 'spillway nodes drain NODE', null],
    ],
    clears: 'With the next pass.',
  },
  Gap: {
    means:
      'A client came back for events that are gone from the log: it was away longer than `log.keepMs`, its thread grew beyond `log.streamBytes`, or the log lost its tail. It was told so and offered a snapshot; nothing was skipped in silence.',
    people: 'The conversation is loaded anew. With the snapshot it is complete up to the stored messages.',
    doing: [
      ['Which thread, which reason?', 'spillway events tail --type gap-told', 'events?type=gap-told'],
      ['Check the log of the thread for holes.', 'spillway log USER THREAD --verify', null],
      ['If it is retention: keep more.', 'spillway config explain log.keepMs', null],
      ['If it is `rewound` or `epoch`: the store went back in time. Find out who restored it.', null, null],
    ],
    clears: '5 minutes after the last one.',
  },
  GoldenPathFailing: {
    means: 'A client of our own, on the public port like anybody, failed twice in a row to log in, get a seat, ask and read the whole answer.',
    people: 'Most likely they cannot chat.',
    doing: [
      ['What failed? The step stands in the detail.', 'spillway events tail --type golden-path-ran', 'events?type=golden-path-ran'],
      ['Is the gateway ready, and if not, why?', 'curl -s http://127.0.0.1:8787/readyz', null],
      [
        'Where the detail says `log-in`, look at `goldenPath.token`, or at the accounts; `seat`: at Lockout; `answer`: at the agent and the store.',
        'spillway status',
        'status',
      ],
    ],
    clears: 'With the next run that succeeds.',
  },
  QueueWait: {
    means: 'One of twenty who wait for a seat waits longer than 10 s, the deadline at which a person is seated by Force.',
    people: '"Finding room for you" for more than 10 seconds.',
    doing: [
      ['Who waits, where, for how long?', 'spillway queue list', 'queue'],
      ['Is the node full?', 'spillway status', 'status'],
      ['More room: raise `limits.perNode`, or add a gateway.', 'spillway config explain limits.perNode', null],
    ],
    clears: 'When 19 of 20 of the last 5 minutes were quicker.',
  },
  LoopLag: {
    means:
      'One turn of the event loop in a hundred comes more than 100 ms late for 5 minutes: this process has too much to do, or its machine gives it too little time.',
    people: 'Answers stutter.',
    doing: [
      ['CPU and memory of the process; garbage collection is on the node board.', 'spillway nodes list', 'nodes'],
      ['Is somebody else on the machine? Compare CPU time with the steal time of the machine.', null, null],
      ['Fewer clients for this gateway.', 'spillway config explain limits.perNode', null],
    ],
    clears: 'When the p99 of 5 minutes is at most 100 ms.',
  },
  Regrets: {
    means:
      "Somebody was evicted whose sign of life had already come in and was read only afterwards. It is nobody's loss of data: the session comes back with its whole story. More than one in 10,000 evictions means that evidence is read too late.",
    people: 'A session closes and opens again by itself.',
    doing: [
      ['Which signal, which verdict, at which level?', 'spillway events tail --type eviction-regret', 'events?type=eviction-regret'],
      ['Does this process stall? See ProbesVoided and LoopLag.', 'spillway nodes list', 'nodes'],
    ],
    clears: 'When the share of the last hour is below, at the latest an hour after the last one.',
  },
};
