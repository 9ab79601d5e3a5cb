const { logIn } = require("../lib/login");

(async () => {
  const testCase = new TestCase("order a mug", 30, 40);
  const base = process.env.SHOP_URL;
  try {
    await logIn("ada", vars.password);
    await _assertTrue(_isVisible(_heading1("Welcome")));
    testCase.endOfStep("log in", 10, 20);

    await _wait(5000, () => _exists(_link("Log out")));
    await _click(_link(/red/i, _in(_list(0))));
    await testCase.endOfStep("open a mug", 10);

    await _navigateTo(`${base}/order.html`);
    await _click(_button("Order"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await _assertContainsText("Thanks for s", _div("said"));
    Logger.logInfo("ordered", await _getText(_div("said")));
    await testCase.endOfStep("order", 10, 20);
  } catch (e) {
    await testCase.handleException(e);
  } finally {
    await testCase.saveResult();
  }
})().then(done);
