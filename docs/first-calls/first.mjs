// Live quotes over server-sent events, in Node 18+ or a browser: TOKEN=… node docs/first-calls/first.mjs
const edge = process.env.EDGE ?? "localhost:8080";
const reply = await fetch(`http://${edge}/v1/quotes:stream?symbols=AAPL`, {
  headers: { authorization: `Bearer ${process.env.TOKEN}`, accept: "text/event-stream" },
});
for await (const chunk of reply.body.pipeThrough(new TextDecoderStream())) {
  for (const line of chunk.split("\n").filter((text) => text.startsWith("data: "))) {
    const { update } = JSON.parse(line.slice(6));
    if (update) {
      console.log(update.quotes[0].bid, update.quotes[0].ask);
      process.exit();
    }
  }
}
