// Plays one scenario: `node run.js NAME JSON`, where JSON says which agents there are. Fails with the reason on standard error.

const [name, world] = process.argv.slice(2);
const { play } = await import(`./scenarios/${name}.js`);
try {
  await play(JSON.parse(world));
  process.exit(0);
} catch (error) {
  console.error(error.stack ?? error);
  process.exit(1);
}
