// An agent that knows users: the browser asks for name and password by itself, and the page never sees them.

import { Stage, check } from "../stage.js";

export async function play({ user, password, ...world }) {
  const stage = await Stage.open(world, { httpCredentials: { username: user, password } });
  stage.expect(/status of 401/);
  await stage.goto("#/");
  await stage.live();
  await stage.until("there is data", () => document.querySelectorAll(".cell").length === 8);
  const kept = await stage.page.evaluate(() => JSON.stringify(sessionStorage) + JSON.stringify(localStorage));
  check(!kept.includes(password), "the page keeps the password");
  await stage.close();
}
