// A page that is opened as a file may start no worker: the search then runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(address) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.srcdoc = `<script src="${address}"></script>`;
      this.ready = new Promise((done) => {
        this.frame.onload = () => {
          const inside = this.frame.contentWindow;
          inside.postMessage = (said) => {
            const data = structuredClone(said);
            setTimeout(() => this.onmessage?.({ data }));
          };
          done(inside);
        };
      });
      document.body.append(this.frame);
    }

    postMessage(said) {
      const data = structuredClone(said);
      this.ready.then((inside) => inside.onmessage({ data }));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
