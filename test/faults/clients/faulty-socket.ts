/** A class of WebSockets whose acknowledgements are kept back while `isMute`; `opened` is told of each. */
export function faultySocket(isMute: () => boolean, opened: (socket: WebSocket) => void): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      opened(this);
    }
    override send(data: Parameters<WebSocket['send']>[0]): void {
      if (isMute() && typeof data === 'string' && data.startsWith('{"type":"ack"')) return;
      super.send(data);
    }
  };
}
