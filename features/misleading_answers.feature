Feature: Misleading answers of the payment cloud
  An answer may be lost, wrong, empty or about something else. A session is closed when
  its state says so, and not because a call has ended.

  Source: EV guide, pre-session checklist; public third-party code for states and codes

  @must @R-CPS-05 @R-SES-07 @cps
  Rule: A success without the state asked for is no close

    @S-Q01
    Scenario: The commit is answered with a failed session
      Given the driver is charging at connector 1
      And the payment cloud answers the next commit with a failed session
      When the driver unplugs at connector 1
      Then the driver's session is committed within 200 seconds

    # That a cloud or a proxy in front of it answers so is an assumption.
    @S-Q08 @R-CPS-07
    Scenario Outline: The commit is answered <status> without a body and was not done
      Given the driver is charging at connector 1
      And the payment cloud does not do the next commit and answers <status>
      When the driver unplugs at connector 1
      Then the driver's session is committed within 200 seconds

      Examples:
        | status |
        | 200    |
        | 204    |

    @S-Q08 @R-SES-09
    Scenario Outline: The commit is done and answered with <answer>
      Given the driver is charging at connector 1
      And the payment cloud does the next commit and answers <answer>
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the driver is told stopped

      Examples:
        | answer   |
        | nothing  |
        | nonsense |

  @must @R-RTY-07 @cps
  Rule: An authorisation whose answer tells nothing may hold money

    # That a cloud or a proxy in front of it answers so is an assumption.
    @S-Q08 @R-CPS-07
    Scenario Outline: The authorisation is done and answered with <answer>
      Given the payment cloud does the next authorisation and answers <answer>
      And the driver has tapped
      When 4 minutes pass
      Then every session is closed within 60 seconds

      Examples:
        | answer   |
        | nothing  |
        | nonsense |

    @S-Q08
    Scenario: The authorisation is done and answered with an error
      Given the payment cloud does the next authorisation and answers an error
      And the driver has tapped
      When 4 minutes pass
      Then every session is closed within 60 seconds

  @must @R-RTY-02 @R-RTY-09 @cps
  Rule: Closed already is final, and not always as asked

    @S-Q07
    Scenario: The commit is done and its answer never comes
      Given the driver is charging at connector 1
      And the payment cloud does the next commit and never answers
      And the driver has unplugged at connector 1
      When 10 minutes pass
      Then the last close finds the session closed already
      And the driver's session is committed within 60 seconds
      And the controller raises no alarm

    @S-Q07
    Scenario: The commit is done and the connection breaks before the answer
      Given the driver is charging at connector 1
      And the payment cloud does the next commit and hangs up
      And the driver has unplugged at connector 1
      When 10 minutes pass
      Then the last close finds the session closed already
      And the driver's session is committed within 60 seconds
      And the controller raises no alarm

    @S-Q07 @R-NOS-01
    Scenario Outline: The release is done, and the cloud <ends>
      Given the driver has been authorised
      And the payment cloud does the next cancel and <ends>
      And 5 minutes have passed
      When 10 minutes pass
      Then the last close finds the session closed already
      And the driver's session is released within 10 seconds
      And the controller raises no alarm

      Examples:
        | ends          |
        | hangs up      |
        | never answers |

    @S-Q02 @R-PER-06
    Scenario: Somebody else has closed the session
      Given the driver is charging at connector 1
      And another system has cancelled the driver's session
      When the driver unplugs at connector 1
      Then the controller raises an alarm within 60 seconds
      And the last close finds the session closed already

  @must @R-CPS-08 @cps
  Rule: An error that is not final leaves the session open

    @S-Q03 @R-PER-07
    Scenario: The cloud does not know the session
      Given the driver is charging at connector 1
      And the payment cloud answers the next one commit with 404
      When the driver unplugs at connector 1
      Then the controller raises an alarm within 60 seconds
      And the driver's session is committed within 200 seconds

    @S-Q03 @R-NOS-01
    Scenario Outline: The release is answered <status>
      Given the driver has been authorised
      And the payment cloud answers the next two cancels with <status>
      When 5 minutes pass
      Then the driver's session is released within 300 seconds

      Examples:
        | status |
        | 400    |
        | 404    |
        | 429    |

    @S-Q05 @R-RTY-04
    Scenario: The cloud has too many requests
      Given the driver is charging at connector 1
      And the payment cloud answers the next four commits with 429
      When the driver unplugs at connector 1
      Then the driver's session is committed within 300 seconds

  @must @R-RTY-01 @cps
  Rule: Closes that cannot be made are made as soon as they can

    @S-Q04 @R-CPS-06
    Scenario: The API key is no longer valid
      Given the driver is charging at connector 1
      And the API key is revoked for 20 minutes
      When the driver unplugs at connector 1
      Then the controller raises the alarm key
      And the driver's session is committed within 81 minutes

    # The row names both statuses; a key that is known and not allowed to close is the
    # other one.
    @S-Q04 @R-CPS-06
    Scenario: The API key may not close sessions
      Given the driver is charging at connector 1
      And the payment cloud answers the next two commits with 403
      When the driver unplugs at connector 1
      Then the controller raises the alarm key
      And the driver's session is committed within 4 minutes

    # Failures of DNS and TLS are not played, because the bench speaks plain HTTP by
    # address. The first ends a call before it has left, as a refused connection does;
    # the second after it has been taken, as one that is hung up.
    @S-Q06
    Scenario: The cloud refuses connections
      Given the driver is charging at connector 1
      And the payment cloud cannot be reached for 3 minutes
      When the driver unplugs at connector 1
      Then the driver's session is committed within 4 minutes

    @S-Q06
    Scenario Outline: The commit does not reach the cloud, which <ends>
      Given the driver is charging at connector 1
      And the payment cloud does not do the next commit and <ends>
      When the driver unplugs at connector 1
      Then the driver's session is committed within 200 seconds

      Examples:
        | ends          |
        | hangs up      |
        | never answers |

  @should @R-CPS-07 @cps
  Rule: A call that was taken is not yet a card that is read

    @S-Q10 @R-TRM-01
    Scenario: The terminal is offline when a driver taps
      Given the terminal is offline in the payment cloud for 2 minutes
      And 60 seconds have passed
      And the driver has tapped
      When 5 minutes pass
      Then the terminal is ready for the next card
      And no session is opened

    # Whoever asks first how the terminal is may still be too late with its start.
    @S-Q10
    Scenario: The cloud cannot start the terminal
      Given the payment cloud answers the next two starts with 503
      And the driver is charging at connector 1
      And 5 minutes have passed
      When the second driver taps
      Then two sessions have been opened
      And energy still flows at connector 1

    @S-Q10
    Scenario: The cloud cannot authorise
      Given the payment cloud answers the next one authorisation with 503
      When the driver taps
      Then no session is opened
      And the driver is given an answer
      And the terminal reads cards again within 60 seconds

    @S-Q10
    Scenario: The terminal still reads from before the controller's death
      Given the controller has died and started again
      And the driver has plugged in at connector 1
      When the driver taps
      Then energy flows at connector 1 within 60 seconds
      And one session has been opened

    @S-Q10
    Scenario: The start is taken, and the terminal stops reading without a word
      Given the driver is charging at connector 1
      When the terminal stops reading without a word
      Then the terminal reads cards again within 3 minutes

    @S-Q11 @R-TRM-08
    Scenario: The terminal has rebooted and forgotten whom to call
      Given the terminal has rebooted without its callback addresses
      And 5 minutes have passed
      And the driver has plugged in at connector 1
      When the driver taps
      Then energy flows at connector 1 within 60 seconds
      And one session has been opened
