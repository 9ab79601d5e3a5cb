_dynamicInclude($includeFolder);
_include("../lib/steps.js");
var testCase = new TestCase(30, 40);

try {
  logIn("ada");
  _assertEqual("Welcome", _getText(_heading1(0)));
  testCase.endOfStep("log in", 10, 20);

  _wait(5000, _exists(_link("Log out")));
  _highlight(_link("Log out"));
  _click(_link("/^Blue/"));
  testCase.endOfStep("open a mug", 10);

  if (_isVisible(_button("Order"))) {
    _check(_checkbox("wrap"));
    _setSelected(_select("size"), "Large");
    _click(_button("Order"));
  }
  _assertContainsText("Thanks for l", _div("said"));
  testCase.endOfStep("order", 10, 20);
} catch (e) {
  testCase.handleException(e);
} finally {
  testCase.saveResult();
}
